/** Sealed segments whose parts lie in memory, with an index that remembers all: for what is not about objects or the index. */
import { fingerprintBytes, plainFingerprints } from "#src/host/fingerprint.ts";
import { addressOf, holeAddress } from "#src/records/address.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { DamagedBlocks } from "#src/store/damaged-blocks.ts";
import { DyingBlocks } from "#src/store/dying-blocks.ts";
import type { KeptBlocks } from "#src/store/kept-blocks.ts";
import { AbsentObjectError, type ReadableObjects } from "#src/store/objects.ts";
import type { PackedContent, PartPlace, PartType } from "#src/store/part.ts";
import { ownHelpers } from "#src/store/seal-helpers.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import type { PartSink } from "#src/store/segment-builder.ts";
import type { SegmentObject } from "#src/store/segment-directory.ts";
import { decodeTable, pageCountOf, segmentObjectName } from "#src/store/segment-format.ts";
import { type ClosedSegment, type SealedSegment, SealMemory, sealSegment } from "#src/store/segment-seal.ts";
import { type FingerprintLookup, VerifiedIndex } from "#src/store/verified-index.ts";

export class MemoryParts implements PartSink {
  readonly isFull = false;
  readonly parts = new Map<number, { type: number; number: number; bytes: Buffer }>();
  #endOffset = 128;

  async flush(): Promise<void> {}

  addPacked(type: PartType, number: number, { bytes, start, end }: PackedContent): PartPlace {
    return this.addPart(type, number, bytes, start, end);
  }

  addPart(type: PartType, number: number, bytes: Buffer, start: number, end: number): PartPlace {
    const offset = this.#endOffset;
    const copy = Buffer.from(bytes.subarray(start, end));
    this.parts.set(offset, { type, number, bytes: copy });
    this.#endOffset += copy.length + 32;
    return { type, number, offset, storedBytes: copy.length + 32 };
  }
}

export class MemoryIndex implements FingerprintLookup {
  readonly addresses = new Map<string, number>();

  lookup(fingerprints: Buffer, count: number, addresses: Float64Array): void {
    for (let index = 0; index < count; index++) {
      addresses[index] = this.addresses.get(keyOf(fingerprints, index)) ?? holeAddress;
    }
  }

  add(segment: number, kept: KeptBlocks): void {
    for (let index = 0; index < kept.count; index++) {
      this.addresses.set(keyOf(kept.fingerprints, index), addressOf(segment, kept.slots[index] as number));
    }
  }
}

function keyOf(fingerprints: Buffer, index: number): string {
  return fingerprints.toString("hex", index * fingerprintBytes, (index + 1) * fingerprintBytes);
}

export class MemorySegments {
  readonly index = new MemoryIndex();
  readonly sealed: SealedSegments;
  readonly reader: BlockReader;
  readonly known: VerifiedIndex;
  readonly parts = new Map<string, MemoryParts>();
  readonly #objects = new Map<string, SealedSegment>();
  readonly #memory = new SealMemory();

  private constructor(sealed: SealedSegments) {
    this.sealed = sealed;
    this.reader = new BlockReader(sealed);
    this.known = new VerifiedIndex(this.index, sealed, new DamagedBlocks(), new DyingBlocks());
  }

  static async make(): Promise<MemorySegments> {
    const sizeBytes = (name: string) => Promise.reject(new AbsentObjectError(name));
    const none = { list: async function* () {}, sizeBytes } as Partial<ReadableObjects> as ReadableObjects;
    const segments: MemorySegments = new MemorySegments(
      await SealedSegments.open(none, async (identity) => segments.#object(segmentObjectName(identity))),
    );
    return segments;
  }

  async seal(source: ClosedSegment): Promise<SealedSegment> {
    const sink = new MemoryParts();
    const identity = { segment: source.segment, generation: 0 };
    const memory = this.#memory;
    const sealed = await sealSegment({
      source,
      sink,
      known: this.known,
      helpers: ownHelpers(plainFingerprints),
      memory,
    });
    this.parts.set(segmentObjectName(identity), sink);
    this.#objects.set(segmentObjectName(identity), sealed);
    this.sealed.published(identity);
    this.index.add(source.segment, memory.kept);
    return sealed;
  }

  #object(name: string): SegmentObject {
    const { counts, table } = this.#objects.get(name) as SealedSegment;
    const { parts } = this.parts.get(name) as MemoryParts;
    return {
      group: "0".repeat(32),
      counts,
      pages: decodeTable(table, pageCountOf(counts.slots)) ?? [],
      readPart: async ({ offset }) => Buffer.from(parts.get(offset)?.bytes ?? []),
      readPartNow: () => undefined,
      readParts: async (wanted) => wanted.map(({ offset, room }) => parts.get(offset)?.bytes.copy(room)),
    };
  }
}
