/**
 * The smallest store that has all that a store has: two segments with duplicates and two pages of slots, pieces of a journal
 * and one that has expired, a snapshot that the history begins with and one that points into it, and every document.
 */

import { otherDocuments } from "#src/control/other-documents.ts";
import type { Clock } from "#src/host/clock.ts";
import { keyedFingerprints, plainFingerprints } from "#src/host/fingerprint.ts";
import type { Log } from "#src/host/log.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { encodeGroupDocument, groupDocumentName } from "#src/journals/group-document.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { SealedPieceBuilder, type SealedUnit } from "#src/journals/sealed-piece-builder.ts";
import type { PieceLink } from "#src/journals/sealed-piece-format.ts";
import { StoreScrub } from "#src/journals/store-scrub.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { collectionDocumentName, encodeCollection } from "#src/store/collection-document.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import { SegmentStore } from "#src/store/segment-store.ts";
import { holdStore } from "#src/store/store-holder.ts";
import { openStore, readStore } from "#src/store/store-opening.ts";
import { GroupHistory } from "#src/synth/group-history.ts";
import { GroupPoints } from "#src/synth/group-points.ts";
import { driven } from "#test/contract/driver.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { FlippableStore } from "#test/store/flippable-store.ts";
import { FreeWork } from "#test/store/free-work.ts";
import { PlainIndex } from "#test/store/plain-index.ts";
import {
  ContentSegment,
  type OpenedWorld,
  scrubGroup,
  startMicros,
  unitOf,
  type Written,
  wrappingKey,
} from "./scrub-world.ts";

export const volumeBlocks = 8;
export const volumes = [1, 2] as const;
/** The history begins with this point, and with the snapshot of it. */
export const baseSeq = 4;
export const snapshotSeqs: readonly number[] = [4, 6];
export const points: readonly number[] = [4, 5, 6, 7, 8];
/** From the first record to the last; of the first of them the snapshot has all. */
export const pieceSeqs: readonly { readonly first: number; readonly last: number }[] = [
  { first: 1, last: 4 },
  { first: 5, last: 6 },
  { first: 7, last: 8 },
];

/** Content 0 is zeros. Between the snapshots nothing is written to volume 2: the later one points into the earlier one for it. */
export const storedWrites: readonly Written[] = [
  { seq: 3, volume: 1, startBlock: 0, segment: 1, slot: 0, contents: [1, 2, 3, 4, 5] },
  { seq: 4, volume: 2, startBlock: 3, segment: 1, slot: 5, contents: [6, 0, 1] },
  { seq: 5, volume: 1, startBlock: 3, segment: 2, slot: 0, contents: [7, 2, 8] },
  { seq: 6, volume: 1, startBlock: 5, segment: 2, slot: 512, contents: [9, 9] },
  { seq: 7, volume: 1, startBlock: 0, segment: 2, slot: 514, contents: [3, 10] },
  { seq: 8, volume: 2, startBlock: 5, segment: 2, slot: 516, contents: [8, 6] },
];

const work = new FreeWork();
/** More would cost more to make than to use. */
const frameCacheBytes = 2 ** 17;

/** Whoever keeps the store, as long as he lives. */
export interface StoreKeeping {
  readonly scrub: StoreScrub;
  readonly opened: OpenedWorld;
  /** Objects and documents that the log spoke of. */
  readonly named: string[];
}

export class WholeStore {
  readonly store: FlippableStore;
  readonly isEncrypted: boolean;
  readonly #index: PlainIndex;

  private constructor(store: FlippableStore, isEncrypted: boolean, index: PlainIndex) {
    this.store = store;
    this.isEncrypted = isEncrypted;
    this.#index = index;
  }

  static async make(isEncrypted: boolean): Promise<WholeStore> {
    const world = new WholeStore(new FlippableStore(), isEncrypted, new PlainIndex());
    const simulation = new Simulation(4);
    await driven(simDriver(simulation.clock), world.#fill(simulation.host("a").clock));
    return world;
  }

  /** The same, of which other bytes may be changed. */
  copy(): WholeStore {
    return new WholeStore(this.store.copy(), this.isEncrypted, this.#index);
  }

  async #fill(clock: Clock): Promise<void> {
    const { store, key } = await this.#opened([]);
    for (const segment of [1, 2]) {
      await store.seal(new ContentSegment(segment, storedWrites), { group: scrubGroup, level: 0 });
    }
    await this.#sealPieces(key);
    const randomness = new SeededRandom(5);
    const history = new GroupHistory({ objects: this.store, randomness, key, group: scrubGroup, clock });
    for (const seq of snapshotSeqs) await history.makeSnapshot(seq, work);
    await history.retain({ fromSeq: baseSeq }, work);
    await this.#putDocuments();
    await (await this.keep()).scrub.run(work, { isAnew: true });
  }

  async #sealPieces(key: Buffer | undefined): Promise<void> {
    const randomness = new SeededRandom(9);
    let previous: PieceLink | undefined;
    for (const { first, last } of pieceSeqs) {
      const units = storedWrites.filter(({ seq }) => seq >= first && seq <= last).map(unitOf);
      if (first === 1) units.unshift(volumesJoin());
      const parts = { objects: this.store, randomness, key, group: scrubGroup, previous };
      const builder = new SealedPieceBuilder(parts, units[0] as SealedUnit);
      for (const unit of units) await builder.add(unit);
      previous = (await SealedPiece.open(this.store, await builder.finish(startMicros), key)).link;
    }
  }

  async #putDocuments(): Promise<void> {
    const named = volumes.map((number) => ({ number, id: `${number}`, name: `${number}`, sizeBytes: 4096 }));
    const facts = { id: scrubGroup, name: "g", writer: "w", life: 1, epoch: 1, seq: 8, volumes: named };
    await this.store.changeDocument(groupDocumentName(scrubGroup), encodeGroupDocument(facts), undefined);
    await holdStore(this.store, "a".repeat(32), startMicros);
    const plan = { neededBytes: 0, segments: [], sums: [], left: [] };
    const collection = encodeCollection({ state: "planned", madeMicros: startMicros, plan, outcome: undefined });
    await this.store.changeDocument(collectionDocumentName, collection, undefined);
  }

  async #opened(named: string[]): Promise<OpenedWorld> {
    const objects = this.store;
    const { clock, randomness } = new Simulation(3).host("a");
    const { keys } = await openStore(objects, { clock, randomness }, this.#wrappingKey);
    const key = keys?.storeKey;
    const fingerprints = keys === undefined ? plainFingerprints : keyedFingerprints(keys.fingerprintKey);
    const ports = { objects, index: this.#index.asIndex, fingerprints, key, clock, randomness, log: namingLog(named) };
    return { ...ports, store: await SegmentStore.open(ports), warnings: named };
  }

  get #wrappingKey() {
    return this.isEncrypted ? wrappingKey : undefined;
  }

  async keep(): Promise<StoreKeeping> {
    const named: string[] = [];
    const opened = await this.#opened(named);
    const scrub = await StoreScrub.open({
      ...opened,
      copies: { read: async () => false },
      walkFrom: () => undefined,
      oldestSeq: async () => baseSeq,
      otherDocuments: otherDocuments(true),
      published: () => {},
    });
    return { scrub, opened, named };
  }

  /** All that there is to be read, by those who only read, and have just come. */
  async open(): Promise<{
    readonly reader: BlockReader;
    readonly points: GroupPoints;
    readonly key: Buffer | undefined;
  }> {
    const objects = this.store;
    const key = (await readStore(objects, this.#wrappingKey))?.keys?.storeKey;
    const segments = await SealedSegments.open(objects, (identity) => SegmentFile.open(objects, identity, key));
    const reader = new BlockReader(segments, undefined, frameCacheBytes);
    const { files } = new Simulation(3).host("a");
    const ports = { files, clock: nodeClock, objects, key, group: scrubGroup, segments, reader };
    return { reader, points: await GroupPoints.open({ ...ports, journal: () => undefined }), key };
  }
}

function volumesJoin(): SealedUnit {
  const extras = volumes.map((number) =>
    encodeExtra({ id: `${number}`, name: `${number}`, sizeBytes: volumeBlocks * 4096 }),
  );
  const nothing = { startBlock: 0, blockCount: 0, address: 0, ordinal: 0, level: 0 };
  const records = volumes.map((volume, index) => {
    const extraAt = extras.slice(0, index).reduce((sum, { length }) => sum + length, 0);
    const extra = { extraBytes: extras[index]?.length ?? 0, extraAt };
    return { type: recordType.volume, volume, seq: volume, timeMicros: startMicros, epoch: 1, ...nothing, ...extra };
  });
  return { firstSeq: 1, isAggregate: false, records, bytes: Buffer.concat(extras) };
}

function namingLog(named: string[]): Log {
  const note = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    named.push(String(fields.object ?? fields.document ?? message));
  };
  const log: Log = { debug: () => {}, info: () => {}, warn: note, error: note, with: () => log };
  return log;
}
