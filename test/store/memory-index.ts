/** An index that remembers all, in memory: for tests that are not about how it is kept. */
import { StopError } from "#src/core/errors.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import { holeAddress } from "#src/records/address.ts";
import type { FingerprintIndex, IndexFigures, RebuildProgress } from "#src/store/fingerprint-index.ts";
import type { KeptFingerprints, SegmentFingerprints, SegmentName } from "#src/store/segment-fingerprints.ts";

export class MemoryFingerprintIndex implements FingerprintIndex {
  #addresses = new Map<string, number>();
  #generations = new Map<number, number>();
  #identity = 1;
  #changeCount = 0;

  get state() {
    return { identity: String(this.#identity), changeCount: this.#changeCount, isIncomplete: false };
  }

  get count(): number {
    return this.#addresses.size;
  }

  /** As if it had been set aside. */
  lose(): void {
    this.#addresses = new Map();
    this.#generations = new Map();
    this.#identity++;
  }

  async beginAnew(): Promise<void> {
    this.lose();
  }

  lookup(fingerprints: Buffer, count: number, addresses: Float64Array): void {
    for (let index = 0; index < count; index++) {
      addresses[index] = this.#addresses.get(keyOf(fingerprints, index)) ?? holeAddress;
    }
  }

  async add({ segment, generation }: SegmentName, { count, fingerprints, addresses }: KeptFingerprints): Promise<void> {
    for (let index = 0; index < count; index++) {
      this.#addresses.set(keyOf(fingerprints, index), addresses[index] as number);
    }
    this.#generations.set(segment, generation);
    this.#changeCount++;
  }

  async forget({ count, fingerprints, addresses }: KeptFingerprints): Promise<void> {
    for (let index = 0; index < count; index++) {
      const key = keyOf(fingerprints, index);
      if (this.#addresses.get(key) === addresses[index]) this.#addresses.delete(key);
    }
    this.#changeCount++;
  }

  async forgetSegment(segment: number): Promise<void> {
    this.#generations.delete(segment);
  }

  async missing(stored: readonly SegmentName[]): Promise<SegmentName[]> {
    return stored.filter(({ segment, generation }) => this.#generations.get(segment) !== generation);
  }

  async rebuild(segments: AsyncIterable<SegmentFingerprints>): Promise<RebuildProgress> {
    let fingerprintCount = 0;
    let segmentCount = 0;
    const unreadable: SegmentName[] = [];
    for await (const segment of segments) {
      try {
        for await (const kept of segment.pieces) {
          await this.add(segment, kept);
          fingerprintCount += kept.count;
        }
        segmentCount++;
      } catch (error) {
        if (!(error instanceof StopError)) throw error;
        unreadable.push(segment);
      }
    }
    return { segmentCount, fingerprintCount, unreadable };
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {}

  figures(): IndexFigures {
    throw new Error("nobody asks for them");
  }
}

function keyOf(fingerprints: Buffer, index: number): string {
  return fingerprints.toString("latin1", index * fingerprintBytes, (index + 1) * fingerprintBytes);
}
