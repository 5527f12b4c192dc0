/**
 * A snapshot is synthesized from an earlier one and the journal, by pointers alone, and old data can go without hurting it. As
 * far as the store alone shows it: the judge knows nothing but which content each write had.
 */
import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { SealedPieceBuilder } from "#src/journals/sealed-piece-builder.ts";
import { addressOf } from "#src/records/address.ts";
import { recordType } from "#src/records/record.ts";
import { Collection } from "#src/store/collection.ts";
import { noReserve } from "#src/store/space-reserve.ts";
import { GroupHistory } from "#src/synth/group-history.ts";
import { LiveHistory } from "#src/synth/live-history.ts";
import type { Snapshot } from "#src/synth/snapshot.ts";
import { describeSnapshot } from "#src/synth/snapshot-description.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { ClosedBlocks, contentOf, sound } from "#test/store/closed-blocks.ts";
import { freely, MemoryStore, origin } from "#test/store/memory-store.ts";

const { group } = origin;
const volume = 3;
const blockCount = 4096;
const zeros = Buffer.alloc(blockBytes);

/** What reads of the store were made, by the folder that they went to. */
class Reads {
  readonly counts = new Map<string, number>();

  noted(name: string): void {
    const [folder = ""] = name.split("/");
    this.counts.set(folder, (this.counts.get(folder) ?? 0) + 1);
  }
}

class Archive {
  readonly store: MemoryStore;
  readonly history: GroupHistory;
  readonly reads: Reads;
  readonly random = new SeededRandom(11);
  /** The content of each block that was written. */
  readonly contents = new Map<number, number>();
  seq = 0;
  #segment = 0;
  #last: SealedPiece | undefined;

  private constructor(store: MemoryStore, reads: Reads) {
    this.store = store;
    this.reads = reads;
    const { objects, randomness, clock } = store.parts;
    this.history = new GroupHistory({ objects, randomness, clock, key: undefined, group });
  }

  static async open(): Promise<Archive> {
    const reads = new Reads();
    const store = await MemoryStore.open();
    const { objects } = store;
    const read = objects.read.bind(objects);
    objects.read = (name, target, position) => {
      reads.noted(name);
      return read(name, target, position);
    };
    return new Archive(store, reads);
  }

  /** Writes single blocks below `belowBlock`, some with the same content, and seals what was written. */
  async write(count: number, belowBlock: number): Promise<void> {
    const { objects, randomness } = this.store.parts;
    const segment = ++this.#segment;
    const blocks = Array.from({ length: count }, () => this.random.integerBelow(belowBlock));
    const written = blocks.map(() => 1 + this.random.integerBelow(5000));
    await this.store.seal(
      new ClosedBlocks(
        segment,
        written.map((content) => sound(content, volume)),
      ),
    );
    const units = blocks.map((startBlock, slot) => {
      const seq = ++this.seq;
      const place = { volume, seq, timeMicros: 1_700_000_000_000_000 + seq, epoch: 1, ordinal: seq, level: 0 };
      const body = { type: recordType.write, startBlock, blockCount: 1, address: addressOf(segment, slot) };
      const record = { ...body, ...place, extraBytes: 0, extraAt: 0 };
      return { firstSeq: seq, isAggregate: false, records: [record], bytes: Buffer.alloc(0) };
    });
    const previous = this.#last?.link;
    const parts = { objects, randomness, key: undefined, group, previous };
    const builder = new SealedPieceBuilder(parts, units[0] as (typeof units)[0]);
    for (const unit of units) await builder.add(unit);
    this.#last = await SealedPiece.open(objects, await builder.finish(1), undefined);
    for (const [slot, block] of blocks.entries()) this.contents.set(block, written[slot] as number);
  }

  /** Blocks that do not read as they were at that moment. */
  async wrongBlocks(snapshot: Snapshot, contents: ReadonlyMap<number, number>): Promise<number[]> {
    const wrong: number[] = [];
    for (let block = 0; block < blockCount; block++) {
      const { address } = await snapshot.lookup(volume, block);
      const bytes = Buffer.alloc(blockBytes);
      const damaged =
        address === 0 ? [] : await this.store.store.reader.read({ address, blockCount: 1, volume }, bytes, 0);
      const content = contents.get(block);
      if (damaged.length > 0 || !bytes.equals(content === undefined ? zeros : contentOf(content))) wrong.push(block);
    }
    return wrong;
  }

  async collect(): Promise<void> {
    const { files } = new Simulation(1).host("a");
    files.makeFolder("/index");
    const live = new LiveHistory({
      objects: this.store.objects,
      key: undefined,
      segmentsWithFiles: async () => new Set(),
    });
    const { parts, objects, store } = this.store;
    const more = { live, files, indexFolder: "/index", reserve: noReserve, graceMs: 0 };
    const collection = await Collection.open({ ...parts, objects, store, ...more });
    await collection.plan({ neededBytes: 0 }, freely);
    await collection.run(freely);
  }

  async bytesBelow(prefix: string): Promise<number> {
    let byteLength = 0;
    for await (const { sizeBytes } of this.store.objects.list(prefix)) byteLength += sizeBytes;
    return byteLength;
  }
}

test("claim A8: a second snapshot is made of the first one and the journal, and reads neither source nor payload", async () => {
  const archive = await Archive.open();
  await archive.write(1500, blockCount);
  const first = await archive.history.makeSnapshot(archive.seq, freely);
  await archive.write(60, 300);
  archive.reads.counts.clear();
  const second = await archive.history.makeSnapshot(archive.seq, freely);
  expect(archive.reads.counts.get("segments")).toBe(undefined);
  expect(archive.reads.counts.get("pieces")).toBeGreaterThan(0);
  const items = await Array.fromAsync(describeSnapshot(archive.store.objects, second.name));
  expect(items).toContainEqual(expect.objectContaining({ kind: "pointers", into: "journal", level: 0 }));
  expect(items).toContainEqual(expect.objectContaining({ kind: "pointers", into: "snapshot", seq: first.seq }));
  expect(await archive.wrongBlocks(second, archive.contents)).toEqual([]);
});

test("claim A10: without the first snapshot and its journal the second one reads every byte, and space comes back", async () => {
  const archive = await Archive.open();
  await archive.write(1500, blockCount);
  const first = await archive.history.makeSnapshot(archive.seq, freely);
  await archive.write(1500, 1500);
  await archive.write(1500, 1500);
  const second = await archive.history.makeSnapshot(archive.seq, freely);
  const contents = new Map(archive.contents);
  await archive.write(200, blockCount);
  const sizes = async () => Promise.all([archive.bytesBelow("segments/"), archive.bytesBelow("pieces/")]);
  const [segmentsBefore = 0, piecesBefore = 0] = await sizes();
  await archive.history.removeSnapshot(first.seq);
  await archive.history.retain({ fromSeq: second.seq }, freely);
  await archive.collect();
  const [segmentsAfter = 0, piecesAfter = 0] = await sizes();
  expect(segmentsAfter).toBeLessThan(0.75 * segmentsBefore);
  expect(piecesAfter).toBeLessThan(0.25 * piecesBefore);
  expect((await archive.history.snapshots()).map((one) => one instanceof Error || one.seq)).toEqual([second.seq]);
  expect(await archive.wrongBlocks(second, contents)).toEqual([]);
  const newest = await archive.history.makeSnapshot(archive.seq, freely);
  expect(await archive.wrongBlocks(newest, archive.contents)).toEqual([]);
});
