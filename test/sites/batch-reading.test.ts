import { expect, test } from "vitest";
import { batchBytesMax, blockBytes } from "#src/core/limits.ts";
import { BatchBuilder } from "#src/records/batch-builder.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { batchAt, recordsOf } from "./batch-reading.ts";

const order = { epoch: 2, firstSeq: 11, timeMicros: 77, incarnation: 5, position: 1024, durableSeq: 9 };

function writtenBatch(): Buffer {
  const bytes = Buffer.alloc(batchBytesMax);
  const builder = new BatchBuilder();
  builder.begin(bytes, 0);
  const payload = Buffer.alloc(2 * blockBytes, "ab");
  builder.addWrite({ type: recordType.write, volume: 1, startBlock: 4, blockCount: 2, ordinal: 6 }, payload, 0);
  builder.add(
    { type: recordType.mode, volume: 0, startBlock: 0, blockCount: 0, ordinal: 0 },
    encodeExtra({ to: "sync" }),
  );
  return bytes.subarray(0, builder.finish(order));
}

test("what the product writes is read here as the document says", () => {
  const bytes = writtenBatch();
  const batch = batchAt(bytes, 0);
  expect(batch).toMatchObject({
    epoch: 2,
    firstSeq: 11,
    recordCount: 2,
    incarnation: 5,
    position: 1024,
    durableSeq: 9,
  });
  expect(batch?.spanBytes).toBe(bytes.length);
  const records = batch === undefined ? [] : recordsOf(bytes, batch);
  expect(records).toMatchObject([
    { seq: 11, type: 1, volume: 1, time: 77, startBlock: 4, blockCount: 2, ordinal: 6 },
    { seq: 12, type: 6, volume: 0, time: 77, extra: '{"to":"sync"}' },
  ]);
  expect(records?.[0]?.checksums).toHaveLength(2);
});

test("a batch with a wrong bit is none, and one with a wrong payload has no records", () => {
  const bytes = writtenBatch();
  const flip = (at: number): void => {
    bytes[at] = (bytes[at] as number) ^ 1;
  };
  for (const at of [20, 64 + 2 * blockBytes]) {
    flip(at);
    expect([at, batchAt(bytes, 0)]).toEqual([at, undefined]);
    flip(at);
  }
  flip(64 + 100);
  const batch = batchAt(bytes, 0);
  expect(batch === undefined ? [] : recordsOf(bytes, batch)).toBeUndefined();
});
