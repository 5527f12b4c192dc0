/** The bytes of each version of the sealed piece, kept for ever: never changed, always read. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { extentOf } from "#src/journals/block-extent.ts";
import { BlockTouches } from "#src/journals/block-touches.ts";
import { decodeExtentPage, ExtentPageBuilder } from "#src/journals/extent-page.ts";
import type { MetadataEntry } from "#src/journals/metadata-entry.ts";
import { RecordPageBuilder } from "#src/journals/record-page-builder.ts";
import { decodeRecordPage } from "#src/journals/record-page-reader.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import {
  decodePieceNumbers,
  encodePieceNumbers,
  sealedPieceName,
  sealedPieceOfName,
} from "#src/journals/sealed-piece-format.ts";
import { decodePieceTable, encodePieceTable } from "#src/journals/sealed-piece-table.ts";
import { addressOf } from "#src/records/address.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { type PlainRecord, plainRecords, type Unit } from "./random-units.ts";
import { listOf, PieceMaker, pieceGroup } from "./sealed-pieces.ts";

function golden(name: string): Buffer {
  return readFileSync(new URL(`../golden/${name}`, import.meta.url));
}

const firstSeq = 2 ** 40 + 5;
const none: Buffer = Buffer.alloc(0);
const timeMicros = 1_700_000_000_123_456;
const nothing = { startBlock: 0, blockCount: 0, address: 0, level: 0 };

function entry(change: Partial<MetadataEntry>, extra = none): PlainRecord {
  const place = { type: recordType.write, volume: 3, seq: firstSeq, timeMicros, epoch: 9, ordinal: 0 };
  return { ...place, ...nothing, ...change, isAggregated: false, extra, extraBytes: extra.length };
}

function unit(isAggregate: boolean, ...entries: readonly PlainRecord[]): Unit {
  let extraAt = 0;
  const records = entries.map(({ extra, isAggregated: _, ...rest }) => {
    extraAt += extra.length;
    return { ...rest, extraAt: extraAt - extra.length };
  });
  return {
    firstSeq: records[0]?.seq ?? 0,
    isAggregate,
    records,
    bytes: Buffer.concat(entries.map((one) => one.extra)),
  };
}

const address = addressOf(2 ** 35 + 7, 65_000);
const jumped = firstSeq + 2 ** 20;
/** All kinds of what a journal may hold. */
const units: readonly Unit[] = [
  unit(
    false,
    entry({ startBlock: 2 ** 33 + 1, blockCount: 200, address, ordinal: 2 ** 34 + 3 }),
    entry({
      seq: firstSeq + 1,
      timeMicros: timeMicros + 25,
      startBlock: 70,
      blockCount: 2,
      address: address + 200,
      ordinal: 2 ** 34 + 4,
    }),
    entry({
      seq: firstSeq + 2,
      timeMicros: timeMicros + 26,
      type: recordType.trim,
      volume: 1,
      startBlock: 8,
      blockCount: 9,
      ordinal: 7,
    }),
    entry({ seq: firstSeq + 3, timeMicros: timeMicros + 26, type: recordType.flush, volume: 1, ordinal: 8 }),
    entry(
      { seq: firstSeq + 4, timeMicros: timeMicros + 90, type: recordType.mark, volume: 0 },
      encodeExtra({ name: "before the upgrade" }),
    ),
  ),
  {
    ...unit(
      true,
      entry({
        seq: firstSeq + 50,
        timeMicros: timeMicros + 1000,
        type: recordType.zero,
        volume: 1,
        startBlock: 10,
        blockCount: 4,
      }),
      entry({
        seq: firstSeq + 50,
        timeMicros: timeMicros + 1000,
        startBlock: 71,
        blockCount: 1,
        address: address + 300,
      }),
      entry(
        { seq: firstSeq + 50, timeMicros: timeMicros + 1000, type: recordType.aggregate, volume: 0 },
        encodeExtra({ records: 46, bytes: 4096 }),
      ),
    ),
    firstSeq: firstSeq + 5,
  },
  unit(
    false,
    entry(
      { seq: jumped, epoch: 12, timeMicros: timeMicros + 2000, type: recordType.epoch, volume: 0 },
      encodeExtra({ previousEpoch: 9, previousLastSeq: firstSeq + 50 }),
    ),
    entry(
      { seq: jumped + 1, epoch: 12, timeMicros: timeMicros + 2001, type: recordType.resize, ordinal: 2 ** 34 + 5 },
      encodeExtra({ sizeBytes: 2 ** 40, previousBytes: 2 ** 46 }),
    ),
  ),
];
const records = plainRecords(units);
const start = { seq: firstSeq - 1, epoch: 9, timeMicros, isInAggregate: false };

function extents() {
  const touches = new BlockTouches();
  for (const record of records) {
    const extent = extentOf(record, record.extra);
    if (extent !== undefined) touches.add(extent);
  }
  return [...touches.extents()];
}

test("a page of records has the bytes that it always had, and can be read", () => {
  const builder = new RecordPageBuilder(start);
  for (const { extra, ...one } of records) builder.add(one, extra, 0);
  const bytes = golden("record-page-v1.bin");
  expect(builder.finish().toString("hex")).toBe(bytes.toString("hex"));
  expect(decodeRecordPage(bytes)).toMatchObject({ start, records });
});

test("a page of extents has the bytes that it always had, and can be read", () => {
  const builder = new ExtentPageBuilder();
  for (const extent of extents()) builder.add(extent);
  const bytes = golden("extent-page-v1.bin");
  expect(builder.finish().toString("hex")).toBe(bytes.toString("hex"));
  expect(decodeExtentPage(bytes)).toEqual(extents());
});

const table = {
  previous: { hash: Buffer.alloc(32, 0xab), firstSeq: 2 ** 39, lastSeq: firstSeq - 1, lastEpoch: 9 },
  digest: Buffer.alloc(32, 0xcd),
  recordPages: [
    { offset: 128, storedBytes: 5000, recordCount: 1024, lastSeq: firstSeq + 1023, timeMicros },
    { offset: 5128, storedBytes: 1000, recordCount: 77, lastSeq: firstSeq + 1100, timeMicros: timeMicros + 9 },
  ],
  extentPages: [
    { offset: 6128, storedBytes: 4000, extentCount: 512, volume: 1, startBlock: 2 ** 33 },
    { offset: 10_128, storedBytes: 100, extentCount: 5, volume: 4, startBlock: 3 },
  ],
  folding: undefined,
};

test("a piece's table has the bytes that it always had, and can be read", () => {
  const bytes = golden("sealed-piece-table-v1.bin");
  expect(encodePieceTable(table).toString("hex")).toBe(bytes.toString("hex"));
  expect(decodePieceTable(bytes)).toEqual(table);
});

const folded = {
  ...table,
  folding: {
    standsFor: { hash: Buffer.alloc(32, 0x11), firstSeq: firstSeq + 900 },
    replaced: [
      { firstSeq, lastSeq: firstSeq + 899, generation: 2, hash: Buffer.alloc(32, 0x22) },
      { firstSeq: firstSeq + 900, lastSeq: firstSeq + 1100, generation: 0, hash: Buffer.alloc(32, 0x11) },
    ],
  },
};

test("a folded piece's table has the bytes that it always had, and can be read", () => {
  const bytes = golden("folded-piece-table-v1.bin");
  expect(encodePieceTable(folded).toString("hex")).toBe(bytes.toString("hex"));
  expect(decodePieceTable(bytes)).toEqual(folded);
  for (let length = 0; length < bytes.length; length++)
    expect(decodePieceTable(bytes.subarray(0, length))).toBeUndefined();
});

test("a folded piece's name says what it takes the place of", () => {
  const identity = { group: pieceGroup, firstSeq: 7, folded: { lastSeq: 4711, generation: 3 } };
  const name = `pieces/${pieceGroup}/0000000000000007-0000000000004711.0003`;
  expect(sealedPieceName(identity)).toBe(name);
  expect(sealedPieceOfName(name)).toEqual(identity);
  for (const other of [
    "0000000000000007-0000000000000006.0003",
    "0000000000000007-0000000000004711.0000",
    "0000000000000007-0000000000004711",
  ]) {
    expect(sealedPieceOfName(`pieces/${pieceGroup}/${other}`)).toBeUndefined();
  }
});

test("a piece's numbers have the bytes that they always had, and can be read", () => {
  const times = { earliestMicros: timeMicros, latestMicros: timeMicros + 5 };
  const counts = { recordCount: 2 ** 20, extentCount: 2 ** 21, firstEpoch: 9, lastEpoch: 12, coarseLevel: 0 };
  const numbers = { lastSeq: firstSeq + 9, ...times, ...counts };
  const bytes = golden("sealed-piece-numbers-v1.bin");
  expect(encodePieceNumbers(numbers).toString("hex")).toBe(bytes.toString("hex"));
  expect(decodePieceNumbers(bytes)).toEqual(numbers);
});

test("a piece of version 1 can be read", async () => {
  const maker = new PieceMaker();
  const identity = { group: pieceGroup, firstSeq };
  maker.objects.bytes.set(`pieces/${pieceGroup}/${String(firstSeq).padStart(16, "0")}`, golden("sealed-piece-v1.bin"));
  const piece = await SealedPiece.open(maker.objects, identity, undefined);
  expect(await listOf(piece.records())).toEqual(records);
  const found = [...(await listOf(piece.scan(1))), ...(await listOf(piece.scan(3)))];
  expect(found).toEqual(extents());
  expect(piece.previous).toEqual(table.previous);
  await piece.verify();
});
