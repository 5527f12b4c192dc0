import { expect, test } from "vitest";
import { sealedPageExtentsMax } from "#src/core/store-limits.ts";
import { holds } from "#src/journals/block-extent.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import type { SealedUnit } from "#src/journals/sealed-piece-builder.ts";
import { addressOf } from "#src/records/address.ts";
import { recordType } from "#src/records/record.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import {
  contentOf,
  type PlainRecord,
  plainRecords,
  RandomUnits,
  type Unit,
  volumeBlocks,
  volumeCount,
} from "./random-units.ts";
import { listOf, PieceMaker, pieceGroup } from "./sealed-pieces.ts";

const none = Buffer.alloc(0);

function randomUnits(seed: number, count: number, firstSeq = 1): Unit[] {
  return new RandomUnits(new SeededRandom(seed), firstSeq).take(count);
}

/** Random writes of 4 KiB, as a host makes them at some 30 thousand a second. */
function randomLoad(count: number, volumeSizeBlocks: number): SealedUnit[] {
  const random = new SeededRandom(11);
  let timeMicros = 1_700_000_000_000_000;
  const units: SealedUnit[] = [];
  for (let index = 0; index < count; ) {
    const firstSeq = index + 1;
    const records = Array.from({ length: Math.min(32, count - index) }, () => {
      timeMicros += random.integerBelow(60);
      const place = { volume: 1, seq: ++index, timeMicros, startBlock: random.integerBelow(volumeSizeBlocks) };
      const address = addressOf(9, 0) + index;
      return {
        type: recordType.write,
        ...place,
        address,
        blockCount: 1,
        epoch: 3,
        ordinal: index,
        level: 0,
        extraBytes: 0,
        extraAt: 0,
      };
    });
    units.push({ firstSeq, isAggregate: false, records, bytes: none });
  }
  return units;
}

test("records come back as they were, from any seq on", async () => {
  for (let seed = 0; seed < 12; seed++) {
    const units = randomUnits(seed, 1 + seed * 25, 1 + seed * 1000);
    const records = plainRecords(units);
    const piece = await new PieceMaker(seed).seal(units);
    expect(await listOf(piece.records())).toEqual(records);
    const seqs = [...new Set(records.map((record) => record.seq))];
    for (const afterSeq of [seqs[0], seqs[seqs.length >> 1], seqs.at(-1), (seqs.at(-1) as number) - 1] as number[]) {
      expect(await listOf(piece.records(afterSeq))).toEqual(records.filter((record) => record.seq > afterSeq));
    }
    await piece.verify();
  }
});

test("a block is what the last record that touches it says, at the end and at any seq before", async () => {
  for (let seed = 0; seed < 12; seed++) {
    const units = randomUnits(100 + seed, 1 + seed * 8);
    const records = plainRecords(units);
    const piece = await new PieceMaker(seed).seal(units);
    const random = new SeededRandom(seed);
    for (let volume = 0; volume <= volumeCount + 1; volume++) {
      for (let block = 0; block < volumeBlocks + 10; block++) {
        const { address, seq } = (await piece.lookup(volume, block)) ?? {};
        const expected = contentOf(records, volume, block);
        expect([address, seq]).toEqual([expected?.address, expected?.seq]);
        const asOf = random.pick(records).seq - random.integerBelow(2);
        const then = contentOf(records, volume, block, asOf);
        expect(await piece.lookupAsOf(volume, block, asOf)).toEqual(
          then === undefined ? undefined : expect.objectContaining({ ...then, startBlock: block, blockCount: 1 }),
        );
      }
    }
  }
});

test("a look-up goes on as far as one record decides, just as a scan does", async () => {
  const units = randomUnits(5, 400);
  const records = plainRecords(units);
  const piece = await new PieceMaker().seal(units);
  for (let volume = 1; volume <= volumeCount; volume++) {
    const extents = await listOf(piece.scan(volume));
    for (let block = 0; block < volumeBlocks + 10; block++) {
      const extent = extents.find((one) => holds(one, volume, block));
      const expected = contentOf(records, volume, block);
      expect(extent?.seq).toBe(expected?.seq);
      expect(await piece.lookup(volume, block)).toEqual(
        (await listOf(piece.scan(volume, block))).find((one) => one.startBlock === block),
      );
    }
  }
});

test("a scan of many pages has every block once, in order, and from any block on", async () => {
  const units = randomLoad(8 * sealedPageExtentsMax, 2 ** 13);
  const records = plainRecords(units);
  const piece = await new PieceMaker().seal(units);
  const last = new Map(records.map((record) => [record.startBlock, record]));
  const expected = [...last.values()].sort((a, b) => a.startBlock - b.startBlock);
  const found = await listOf(piece.scan(1));
  expect(found.map(({ startBlock, address, seq }) => ({ startBlock, address, seq }))).toEqual(
    expected.map(({ startBlock, address, seq }) => ({ startBlock, address, seq })),
  );
  expect(await listOf(piece.scan(1, 5000))).toEqual(found.filter((extent) => extent.startBlock >= 5000));
  expect(await listOf(piece.scan(0))).toEqual([]);
  expect(await listOf(piece.scan(2))).toEqual([]);
});

test("a random load of 4 KiB writes takes 16 bytes a record or less, all in all", async () => {
  // More than is gathered before it is written.
  const count = 130_000;
  const piece = await new PieceMaker().seal(randomLoad(count, 2 ** 28));
  expect(piece.numbers.recordCount).toBe(count);
  expect(piece.sizeBytes / count).toBeLessThan(10.5);
});

test("a block is looked up with one small read", async () => {
  const maker = new PieceMaker();
  const piece = await maker.seal(randomLoad(20_000, 2 ** 28));
  for (const block of [0, 1 << 20, 1 << 27, 2 ** 28 - 1]) {
    maker.objects.readCount = 0;
    maker.objects.readBytes = 0;
    await piece.lookup(1, block);
    expect(maker.objects.readCount).toBeLessThanOrEqual(1);
    expect(maker.objects.readBytes).toBeLessThan(8192);
  }
});

test("a block as of some seq takes no more, where no later record touches it", async () => {
  const maker = new PieceMaker();
  const units = randomLoad(20_000, 2 ** 28);
  const piece = await maker.seal(units);
  const [record] = plainRecords(units).slice(-5000);
  const { startBlock = 0, seq = 0 } = record ?? {};
  maker.objects.readCount = 0;
  expect(await piece.lookupAsOf(1, startBlock, seq)).toMatchObject({ seq, address: record?.address });
  expect(maker.objects.readCount).toBe(1);
  expect(await piece.lookupAsOf(1, startBlock, seq - 1)).toBeUndefined();
});

test("a piece says from when to when its records are, and which was the last at a time", async () => {
  const units = randomLoad(3000, 100);
  const records = plainRecords(units) as PlainRecord[];
  const piece = await new PieceMaker().seal(units);
  const times = records.map((record) => record.timeMicros);
  expect(piece.numbers).toMatchObject({
    earliestMicros: times[0],
    latestMicros: times.at(-1),
    lastSeq: 3000,
    firstEpoch: 3,
  });
  for (const time of [times[0], times[1500], times[2999], (times[1023] as number) + 1] as number[]) {
    expect(await piece.lastSeqAt(time)).toBe(records.findLast((record) => record.timeMicros <= time)?.seq);
  }
  expect(await piece.lastSeqAt((times[0] as number) - 1)).toBeUndefined();
  expect(await piece.lastSeqAt(Number.MAX_SAFE_INTEGER)).toBe(3000);
});

test("a piece that touches no block has no index", async () => {
  const flush = { type: recordType.flush, volume: 0, seq: 5, timeMicros: 9, startBlock: 0, address: 0, blockCount: 0 };
  const record = { ...flush, epoch: 1, ordinal: 0, level: 0, extraBytes: 0, extraAt: 0 };
  const piece = await new PieceMaker().seal([{ firstSeq: 5, isAggregate: false, records: [record], bytes: none }]);
  expect(piece.numbers.extentCount).toBe(0);
  expect(await piece.lookup(1, 0)).toBeUndefined();
  expect(await listOf(piece.scan(1))).toEqual([]);
  await piece.verify();
});

test("fault 18: every bit of a piece that is not as it was written is found, and no record is wrong", async () => {
  const maker = new PieceMaker();
  const units = randomUnits(6, 8);
  const records = plainRecords(units);
  const { identity, name } = await maker.seal(units);
  const bytes = maker.objects.bytes.get(name) as Buffer;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    (bytes[bit >> 3] as number) ^= 1 << (bit & 7);
    const found = await readAll(maker, identity);
    expect(found.error, `bit ${bit}`).toMatch(/^pieces\/.* (is damaged|has version)/);
    expect(found.records).toEqual(records.slice(0, found.records.length));
    (bytes[bit >> 3] as number) ^= 1 << (bit & 7);
  }
});

async function readAll(maker: PieceMaker, identity: SealedPiece["identity"]) {
  const records: unknown[] = [];
  try {
    const piece = await SealedPiece.open(maker.objects, identity, undefined);
    for await (const record of piece.records()) records.push(record);
    for (let volume = 0; volume <= volumeCount; volume++) await listOf(piece.scan(volume));
    await piece.verify();
    return { records, error: "" };
  } catch (error) {
    return { records, error: (error as Error).message };
  }
}

test("a piece that ends too early is found at once", async () => {
  const maker = new PieceMaker();
  const { identity, name } = await maker.seal(randomUnits(6, 12));
  const bytes = maker.objects.bytes.get(name) as Buffer;
  for (const size of [0, 100, 128, 300, bytes.length - 1]) {
    maker.objects.bytes.set(name, bytes.subarray(0, size));
    await expect(SealedPiece.open(maker.objects, identity, undefined)).rejects.toThrow(ObjectDamageError);
  }
});

test("fault 19: a piece under another one's name is found", async () => {
  const maker = new PieceMaker();
  const { identity, name } = await maker.seal(randomUnits(6, 12));
  const other = { ...identity, firstSeq: identity.firstSeq + 1 };
  const foreign = { ...identity, group: "f".repeat(32) };
  for (const { group, firstSeq } of [other, foreign]) {
    maker.objects.bytes.set(
      `pieces/${group}/${String(firstSeq).padStart(16, "0")}`,
      maker.objects.bytes.get(name) as Buffer,
    );
    await expect(SealedPiece.open(maker.objects, { group, firstSeq }, undefined)).rejects.toThrow(ObjectDamageError);
  }
  expect(name).toBe(`pieces/${pieceGroup}/0000000000000001`);
});

test("an encrypted piece gives everything back with its key, and nothing without", async () => {
  const key = Buffer.alloc(32, 7);
  const maker = new PieceMaker(1, key);
  const units = randomUnits(8, 40);
  const piece = await maker.seal(units);
  expect(await listOf(piece.records())).toEqual(plainRecords(units));
  await piece.verify();
  await expect(SealedPiece.open(maker.objects, piece.identity, undefined)).rejects.toThrow();
  await expect(SealedPiece.open(maker.objects, piece.identity, Buffer.alloc(32, 8))).rejects.toThrow();
});
