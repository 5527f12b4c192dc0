import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { aggregateRecordsMax, batchHeaderBytes, KiB, logFileHeaderBytes } from "#src/core/limits.ts";
import { DirtyFiles } from "#src/journals/dirty-files.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { aggregateBatchEntries, aggregateRecords, MetadataAggregate } from "#src/journals/metadata-aggregate.ts";
import { metadataBatchBytesMax } from "#src/journals/metadata-batch.ts";
import { MetadataCursor } from "#src/journals/metadata-cursor.ts";
import type { MetadataEntry } from "#src/journals/metadata-entry.ts";
import { MetadataJournal } from "#src/journals/metadata-journal.ts";
import { addressOf } from "#src/records/address.ts";
import { type BatchHeader, batchMagic, getBatchHeader, hasSoundHeads, putBatchHeader } from "#src/records/batch.ts";
import { decodeExtra, encodeExtra, recordType } from "#src/records/record.ts";
import type { SimFile } from "#test/sim/sim-file.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

const identity = { group: "a".repeat(32), incarnation: 7 };
const pieceBytes = logFileHeaderBytes + metadataBatchBytesMax;
const noExtra = Buffer.alloc(0);
const figures = encodeExtra({ records: 9, bytes: 4096 });

function entryOf(seq: number, change: Partial<MetadataEntry> = {}): MetadataEntry {
  const place = { startBlock: 0, address: 0, blockCount: 1, ordinal: 0, level: 0, extraBytes: 0 };
  return { type: recordType.trim, volume: 1, seq, epoch: 1, timeMicros: seq, ...place, ...change };
}

/** With so many trims. */
function aggregateOf(firstSeq: number, lastSeq: number, trimCount: number, epoch = 1): MetadataAggregate {
  const aggregate = new MetadataAggregate(epoch, firstSeq, lastSeq);
  for (let index = 0; index < trimCount; index++) {
    aggregate.add(entryOf(lastSeq, { epoch, startBlock: index }), noExtra, 0);
  }
  const end = { type: recordType.aggregate, volume: 0, blockCount: 0, extraBytes: figures.length, epoch };
  aggregate.add(entryOf(lastSeq, end), figures, 0);
  return aggregate;
}

class World {
  readonly host: SimHost = new Simulation(1).host("a");
  readonly folder = new JournalFolder("/g");
  readonly journal: MetadataJournal;

  constructor(size = 1024 * KiB) {
    this.folder.makeNow(this.host.files);
    const { folder, host } = this;
    const parts = { files: host.files, folder, ...identity, pieceBytes: size, dirty: new DirtyFiles(host.files) };
    this.journal = new MetadataJournal({ ...parts, durableSeq: () => 0 }, 0, 1);
  }

  plain(...seqs: readonly number[]): void {
    for (const seq of seqs) this.journal.add(entryOf(seq), noExtra, 0);
    this.journal.write();
  }

  aggregate(firstSeq: number, lastSeq: number, trimCount = 2): void {
    this.journal.addAggregate(aggregateOf(firstSeq, lastSeq, trimCount));
    this.journal.write();
  }

  file(basePosition = 0): SimFile {
    return this.host.disk.fileAt(this.folder.piecePath(basePosition));
  }

  get sizes(): number[] {
    return this.folder.pieces(this.host.files).map((base) => this.file(base).current.sizeBytes);
  }

  /** What the units are, and why there are no more. */
  walk(fromSeq = 1): string[] {
    const cursor = new MetadataCursor(this.host.files, this.folder, identity, fromSeq);
    const seen: string[] = [];
    for (let found = cursor.next(); ; found = cursor.next()) {
      if (found.finding !== "sound") {
        cursor.close();
        return [...seen, found.finding];
      }
      const { firstSeq, lastSeq, records, isAggregate } = found;
      seen.push(`${firstSeq}-${lastSeq}${isAggregate ? ` of ${records.length}` : ""}`);
    }
  }
}

test("an aggregate is walked over as one, between batches", () => {
  const world = new World();
  world.plain(1, 2);
  world.aggregate(3, 9);
  world.plain(10);
  world.aggregate(11, 11);
  world.aggregate(12, 400);
  expect(world.walk()).toEqual(["1-2", "3-9 of 3", "10-10", "11-11 of 3", "12-400 of 3", "nothing"]);
});

test("an aggregate of many batches is one, and its end is found where it says", () => {
  const world = new World();
  world.aggregate(1, 5000, 3 * aggregateBatchEntries);
  world.plain(5001);
  const cursor = new MetadataCursor(world.host.files, world.folder, identity, 1);
  const found = cursor.next();
  if (found.finding !== "sound") return expect.unreachable(found.finding);
  expect(found.records.length).toBe(3 * aggregateBatchEntries + 1);
  expect(found.records.map(({ startBlock }) => startBlock).slice(0, -1)).toEqual([
    ...Array(3 * aggregateBatchEntries).keys(),
  ]);
  const { extraAt, extraBytes } = found.records.at(-1) ?? { extraAt: 0, extraBytes: 0 };
  expect(decodeExtra(found.bytes.subarray(extraAt, extraAt + extraBytes))).toEqual({ records: 9, bytes: 4096 });
  expect(cursor.next()).toMatchObject({ finding: "sound", firstSeq: 5001, lastSeq: 5001 });
  cursor.close();
});

test("the largest aggregate is written and found", () => {
  const world = new World(64 * 1024 * KiB);
  world.aggregate(1, 30_000, aggregateRecordsMax - 1);
  expect(world.walk()).toEqual([`1-30000 of ${aggregateRecordsMax}`, "nothing"]);
});

test("an aggregate that does not fit behind what is there begins a piece, and one larger than a piece has a longer one", () => {
  const world = new World(pieceBytes);
  world.plain(1);
  world.aggregate(2, 900, 920);
  world.aggregate(901, 3000, 2000);
  world.plain(3001);
  expect(world.sizes.length).toBe(4);
  expect(world.sizes[2]).toBeGreaterThan(pieceBytes);
  expect(world.walk()).toEqual(["1-1", "2-900 of 921", "901-3000 of 2001", "3001-3001", "nothing"]);
  expect(world.walk(950)).toEqual(["901-3000 of 2001", "3001-3001", "nothing"]);
});

describe("an aggregate that is not whole is not there", () => {
  const count = 2 * aggregateBatchEntries + 5;
  const firstSpan = Math.ceil((batchHeaderBytes + aggregateBatchEntries * 64) / 512) * 512;

  function halfWritten(): World {
    const world = new World();
    world.plain(1);
    world.aggregate(2, 3000, count);
    return world;
  }

  test.each([1, 512, firstSpan - 700, firstSpan, firstSpan + 1, 2 * firstSpan, 2 * firstSpan + 100])(
    "cut off %d bytes behind its beginning",
    (keptBytes) => {
      const world = halfWritten();
      const handle = world.host.files.open(world.folder.piecePath(0), "readWrite");
      handle.truncateNow(1024 + keptBytes);
      expect(world.walk()[0]).toBe("1-1");
      expect(world.walk().length).toBe(2);
    },
  );

  test.each([0, firstSpan, 2 * firstSpan])("with a batch damaged, %d bytes behind its beginning", (offset) => {
    const world = halfWritten();
    for (const [bit, finding] of [
      [90, "brokenHeads"],
      [20, "brokenHeader"],
    ] as const) {
      world.file().flipBit(1024 + offset + bit, 1);
      expect(world.walk()).toEqual(["1-1", finding]);
      world.file().flipBit(1024 + offset + bit, 1);
    }
    expect(world.walk()).toEqual(["1-1", `2-3000 of ${count + 1}`, "nothing"]);
  });

  test("with the end of another one, or a batch of records, behind its beginning", () => {
    for (const change of ["other", "plain"]) {
      const world = halfWritten();
      world.host.files.open(world.folder.piecePath(0), "readWrite").truncateNow(1024 + firstSpan);
      const place = { incarnation: 7, position: 1024 + firstSpan, durableSeq: 0 };
      const aggregate = aggregateOf(change === "other" ? 3 : 2, change === "other" ? 3000 : 2999, 1);
      const bytes = Buffer.alloc(aggregate.spanBytes);
      aggregate.putBatch(0, place, bytes, 0);
      world.host.files.open(world.folder.piecePath(0), "readWrite").writeNow(bytes, 0, bytes.length, place.position);
      expect(world.walk()).toEqual(["1-1", "gap"]);
    }
  });
});

test("an aggregate behind a gap, over what is there, or of another epoch ends the walk", () => {
  for (const [aggregate, finding] of [
    [aggregateOf(4, 9, 1), "gap"],
    [aggregateOf(2, 9, 1), "gap"],
    [aggregateOf(3, 9, 1, 2), "foreignEpoch"],
  ] as const) {
    const world = new World();
    world.plain(1, 2);
    const bytes = Buffer.alloc(aggregate.spanBytes);
    aggregate.putBatch(0, { incarnation: 7, position: 1024, durableSeq: 0 }, bytes, 0);
    world.host.files.open(world.folder.piecePath(0), "readWrite").writeNow(bytes, 0, bytes.length, 1024);
    expect(world.walk()).toEqual(["1-2", finding]);
  }
});

describe("a batch of an aggregate is not believed", () => {
  const place = { incarnation: 7, position: 512, durableSeq: 0 };

  function batchOf(change: (bytes: Buffer) => void, header: Partial<BatchHeader> = {}): boolean {
    const aggregate = aggregateOf(3, 9, 3);
    const bytes = Buffer.alloc(aggregate.spanBytes);
    aggregate.putBatch(0, place, bytes, 0);
    change(bytes);
    const known = getBatchHeader(bytes, 0, batchMagic.metadataAggregate) as BatchHeader;
    putBatchHeader(bytes, 0, { ...known, ...header });
    const again = getBatchHeader(bytes, 0, batchMagic.metadataAggregate) as BatchHeader;
    return hasSoundHeads(bytes, 0, again) && aggregateRecords(bytes, 0, again) !== undefined;
  }
  const entryAt = (index: number) => batchHeaderBytes + index * 64;

  test("unless it is as it was made", () => {
    expect(batchOf(() => {})).toBe(true);
  });

  test.each<[string, (bytes: Buffer) => void]>([
    ["with entries of two seqs", (bytes) => bytes.writeUInt8(8, entryAt(1) + 8)],
    ["with entries of two times", (bytes) => bytes.writeUInt8(8, entryAt(1) + 16)],
    ["with entries of two epochs", (bytes) => bytes.writeUInt8(2, entryAt(1) + 44)],
    ["with an end in the middle", (bytes) => bytes.writeUInt8(recordType.aggregate, entryAt(1))],
    ["with a record that is never folded", (bytes) => bytes.writeUInt8(recordType.mark, entryAt(1))],
    ["with an extra part in the middle", (bytes) => bytes.writeUInt8(8, entryAt(1) + 2)],
    ["with a type that nobody knows", (bytes) => bytes.writeUInt8(77, entryAt(1))],
  ])("%s", (_, change) => {
    expect(batchOf(change)).toBe(false);
  });

  test("with a seq before its first one", () => {
    expect(batchOf(() => {}, { firstSeq: 10 })).toBe(false);
  });

  test("with fewer entries than it has room for", () => {
    expect(batchOf(() => {}, { recordCount: 3 })).toBe(false);
  });
});

function goldenAggregate(): Buffer {
  const aggregate = new MetadataAggregate(9, 2 ** 40 + 5, 2 ** 40 + 900);
  const common = { epoch: 9, timeMicros: 1_700_000_000_123_456 };
  const address = addressOf(2 ** 35 + 7, 65_000);
  const write = { type: recordType.write, volume: 3, startBlock: 2 ** 33 + 1, address, blockCount: 200 };
  const extra = encodeExtra({ records: 896, bytes: 2 ** 33 });
  const end = { type: recordType.aggregate, volume: 0, blockCount: 0, extraBytes: extra.length };
  aggregate.add(entryOf(2 ** 40 + 900, { ...common, startBlock: 7, blockCount: 2 ** 28 }), noExtra, 0);
  aggregate.add(entryOf(2 ** 40 + 900, { ...common, ...write }), noExtra, 0);
  aggregate.add(entryOf(2 ** 40 + 900, { ...common, ...end }), extra, 0);
  const bytes = Buffer.alloc(aggregate.spanBytes, 0xff);
  aggregate.putBatch(0, { incarnation: 0xc0ffee01, position: 2 ** 36 + 512, durableSeq: 2 ** 40 }, bytes, 0);
  return bytes;
}

test("an aggregate's batch has the bytes that it always had, and can be read", () => {
  const golden = readFileSync(new URL("../golden/metadata-aggregate-v1.bin", import.meta.url));
  expect(goldenAggregate().toString("hex")).toBe(golden.toString("hex"));
  const header = getBatchHeader(golden, 0, batchMagic.metadataAggregate) as BatchHeader;
  expect(header).toMatchObject({ epoch: 9, firstSeq: 2 ** 40 + 5, recordCount: 3, durableSeq: 2 ** 40 });
  const records = aggregateRecords(golden, 0, header) ?? [];
  expect(records.map(({ type, seq, startBlock, blockCount }) => [type, seq - 2 ** 40, startBlock, blockCount])).toEqual(
    [
      [recordType.trim, 900, 7, 2 ** 28],
      [recordType.write, 900, 2 ** 33 + 1, 200],
      [recordType.aggregate, 900, 0, 0],
    ],
  );
});
