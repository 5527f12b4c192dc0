/** A small store with all that a store has, what it should say, and who scrubs it. */
import { expect } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { type Fingerprints, keyedFingerprints, plainFingerprints } from "#src/host/fingerprint.ts";
import { encodeGroupDocument, groupDocumentName } from "#src/journals/group-document.ts";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import type { StoreScrubParts } from "#src/journals/object-scrubs.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { SealedPieceBuilder, type SealedUnit } from "#src/journals/sealed-piece-builder.ts";
import { sealedPieces } from "#src/journals/sealed-piece-chain.ts";
import type { PieceLink } from "#src/journals/sealed-piece-format.ts";
import { StoreScrub } from "#src/journals/store-scrub.ts";
import { addressOf } from "#src/records/address.ts";
import { recordType } from "#src/records/record.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { ObjectBuilder } from "#src/store/object-builder.ts";
import { objectKind } from "#src/store/object-format.ts";
import type { Objects } from "#src/store/objects.ts";
import { partType } from "#src/store/part.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import type { ClosedSegment } from "#src/store/segment-seal.ts";
import { SegmentStore } from "#src/store/segment-store.ts";
import { blockState, type SlotRun } from "#src/store/slot-run.ts";
import { openStore, readStore } from "#src/store/store-opening.ts";
import { WrappingKey } from "#src/store/wrapping-key.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { FlippableStore } from "#test/store/flippable-store.ts";
import { FreeWork } from "#test/store/free-work.ts";
import { PlainIndex } from "#test/store/plain-index.ts";
import { rememberingLog } from "#test/store/remembering-log.ts";

export const scrubGroup = "0123456789abcdef0123456789abcdef";
export const wrappingKey = WrappingKey.parse(Buffer.from("7e".repeat(32)), "a test");
export const startMicros = 1_700_000_000_000_000;
const level = 0;

/** Short when it is compressed, and another one for each number; 0 is zeros. */
export function blockOf(number: number): Buffer {
  return Buffer.alloc(blockBytes, number === 0 ? "\0" : `block ${number}. `);
}

/** A write of blocks of these contents, that lie in the segment from the slot on. */
export interface Written {
  readonly seq: number;
  readonly volume: number;
  readonly startBlock: number;
  readonly segment: number;
  readonly slot: number;
  readonly contents: readonly number[];
}

export class ContentSegment implements ClosedSegment {
  readonly segment: number;
  readonly #writes: readonly Written[];
  readonly #damagedSlots: readonly number[];

  constructor(segment: number, writes: readonly Written[], damagedSlots: readonly number[] = []) {
    this.segment = segment;
    this.#writes = writes.filter((written) => written.segment === segment);
    this.#damagedSlots = damagedSlots;
  }

  get slotCount(): number {
    return Math.max(...this.#writes.map(({ slot, contents }) => slot + contents.length));
  }

  read(from: number, count: number, run: SlotRun): void {
    run.states.fill(blockState.none, 0, count);
    for (const { slot, contents, volume } of this.#writes) {
      for (const [index, content] of contents.entries()) {
        const at = slot + index - from;
        if (at < 0 || at >= count) continue;
        const block = blockOf(content);
        block.copy(run.blocks, at * blockBytes);
        putChecksum(block, 0, blockBytes, run.checksums, at * 8);
        run.volumes[at] = volume;
        run.states[at] = this.#damagedSlots.includes(slot + index) ? blockState.damaged : blockState.sound;
      }
    }
  }
}

/** Three segments with duplicates within and between them, records of two volumes that write over each other. */
export const writes: readonly Written[] = [
  { seq: 1, volume: 1, startBlock: 0, segment: 1, slot: 0, contents: [1, 2, 3, 4, 5] },
  { seq: 2, volume: 2, startBlock: 7, segment: 1, slot: 5, contents: [6, 0, 1] },
  { seq: 3, volume: 1, startBlock: 3, segment: 2, slot: 0, contents: [7, 2, 8] },
  { seq: 4, volume: 2, startBlock: 8, segment: 2, slot: 4, contents: [9, 9] },
  { seq: 5, volume: 1, startBlock: 0, segment: 3, slot: 0, contents: [3, 10] },
  { seq: 6, volume: 2, startBlock: 100, segment: 3, slot: 2, contents: [11, 8, 12, 7] },
];
const unitsOfPieces = [
  [1, 2],
  [3, 4],
  [5, 6],
];

export function unitOf({ seq, volume, startBlock, segment, slot, contents }: Written): SealedUnit {
  const place = { startBlock, blockCount: contents.length, address: addressOf(segment, slot), level };
  const facts = { type: recordType.write, extraBytes: 0, volume, seq, timeMicros: startMicros + seq * 1_000_000 };
  const records = [{ ...facts, ...place, epoch: 1, ordinal: seq, extraAt: 0 }];
  return { firstSeq: seq, isAggregate: false, records, bytes: Buffer.alloc(0) };
}

export class ScrubWorld {
  readonly store: FlippableStore;
  readonly isEncrypted: boolean;
  readonly index: PlainIndex;

  private constructor(store: FlippableStore, isEncrypted: boolean, index: PlainIndex) {
    this.store = store;
    this.isEncrypted = isEncrypted;
    this.index = index;
  }

  static async make(isEncrypted: boolean): Promise<ScrubWorld> {
    const world = new ScrubWorld(new FlippableStore(), isEncrypted, new PlainIndex());
    const opened = await world.opened();
    for (const segment of [1, 2, 3])
      await opened.store.seal(new ContentSegment(segment, writes), { group: scrubGroup, level });
    await world.#sealPieces(opened.key);
    await putSnapshot(world.store, opened.key);
    const volumes = [{ number: 1, id: "5".repeat(32), name: "one", sizeBytes: 2 ** 20 }];
    const document = { id: scrubGroup, name: "group", writer: "w", life: 1, epoch: 1, seq: 6, volumes };
    await world.store.changeDocument(groupDocumentName(scrubGroup), encodeGroupDocument(document), undefined);
    return world;
  }

  /** The same store, of which other bytes may be changed, with what the index knows. */
  copy(): ScrubWorld {
    const index = new PlainIndex();
    for (const [key, address] of this.index.addresses) index.addresses.set(key, address);
    return new ScrubWorld(this.store.copy(), this.isEncrypted, index);
  }

  async #sealPieces(key: Buffer | undefined): Promise<void> {
    const randomness = new SeededRandom(9);
    let previous: PieceLink | undefined;
    for (const seqs of unitsOfPieces) {
      const units = writes.filter(({ seq }) => seqs.includes(seq)).map(unitOf);
      const parts = { objects: this.store, randomness, key, group: scrubGroup, previous };
      const builder = new SealedPieceBuilder(parts, units[0] as SealedUnit);
      for (const unit of units) await builder.add(unit);
      const identity = await builder.finish(startMicros);
      previous = (await SealedPiece.open(this.store, identity, key)).link;
    }
  }

  async opened(objects: Objects = this.store): Promise<OpenedWorld> {
    const { clock, randomness } = new Simulation(3).host("a");
    const { keys } = await openStore(objects, { clock, randomness }, this.isEncrypted ? wrappingKey : undefined);
    const warnings: string[] = [];
    const log = rememberingLog(warnings);
    const key = keys?.storeKey;
    const fingerprints = keys === undefined ? plainFingerprints : keyedFingerprints(keys.fingerprintKey);
    const index = this.index.asIndex;
    const store = await SegmentStore.open({ objects, index, fingerprints, key, clock, randomness, log });
    return { objects, index, fingerprints, key, clock, randomness, log, store, warnings };
  }

  /** Whoever scrubs it, as after a start. */
  async scrub(other: Partial<StoreScrubParts> = {}): Promise<StoreScrub> {
    const opened = await this.opened();
    return await StoreScrub.open({ ...opened, ...nothingElse, ...other });
  }

  /** One round. */
  async scrubbed(other: Partial<StoreScrubParts> = {}): Promise<StoreScrub> {
    const scrub = await this.scrub(other);
    await scrub.run(new FreeWork(), { isAnew: true });
    return scrub;
  }

  /** All that there is to be read, by those who only read. */
  async read(): Promise<ReadStore> {
    const { store } = this;
    const opened = await readStore(store, this.isEncrypted ? wrappingKey : undefined);
    const key = opened?.keys?.storeKey;
    const segments = await SealedSegments.open(store, (identity) => SegmentFile.open(store, identity, key));
    const records: JournalRecord[] = [];
    let failure: Error | undefined;
    try {
      for await (const piece of sealedPieces(store, scrubGroup, key))
        for await (const record of piece.records()) records.push(record);
    } catch (error) {
      failure = error as Error;
    }
    return { records, failure, reader: new BlockReader(segments) };
  }
}

export interface OpenedWorld {
  readonly objects: Objects;
  readonly index: StoreScrubParts["index"];
  readonly fingerprints: Fingerprints;
  readonly key: Buffer | undefined;
  readonly clock: StoreScrubParts["clock"];
  readonly randomness: StoreScrubParts["randomness"];
  readonly log: StoreScrubParts["log"];
  readonly warnings: readonly string[];
  readonly store: SegmentStore;
}

export interface ReadStore {
  /** In their order, up to where that failed. */
  readonly records: readonly JournalRecord[];
  readonly failure: Error | undefined;
  readonly reader: BlockReader;
}

/** Which slots those who read are told to be damaged. Other bytes are never given. */
export async function unreadableSlots({ reader }: ReadStore): Promise<Set<string>> {
  const damaged = new Set<string>();
  for (const { segment, slot, contents, volume } of writes) {
    const target = Buffer.alloc(contents.length * blockBytes, 0xee);
    const run = { address: addressOf(segment, slot), blockCount: contents.length, volume };
    const bad = await reader.read(run, target, 0);
    for (const [index, content] of contents.entries()) {
      const found = target.subarray(index * blockBytes, (index + 1) * blockBytes);
      if (bad.includes(index)) damaged.add(`${segment}/${slot + index}`);
      else expect(found.equals(blockOf(content)), `slot ${slot + index} of segment ${segment}`).toBe(true);
    }
  }
  return damaged;
}

const nothingElse = {
  copies: { read: async () => false },
  walkFrom: () => undefined,
  oldestSeq: async () => 0,
  published: () => {},
};

/** An object of the third kind. */
async function putSnapshot(objects: Objects, key: Buffer | undefined): Promise<void> {
  const facts = { kind: objectKind.snapshot, group: scrubGroup, number: 4, generation: 0, level: 0 };
  const name = `snapshots/${scrubGroup}/0000000000000004.0000`;
  const builder = new ObjectBuilder(objects.create(name), { facts, randomness: new SeededRandom(4), key });
  const content = Buffer.from("what a snapshot has to say of its blocks");
  builder.addPart(partType.extents, 0, content, 0, content.length);
  await builder.finish({ table: Buffer.alloc(40, 7), kindNumbers: Buffer.alloc(64), timeMicros: startMicros });
}
