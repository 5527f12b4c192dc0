/** What lies in a plain batch is what is read of it record by record, and nothing passes for plain that is not. */
import { expect, test } from "vitest";
import { batchHeaderBytes, levelSecondsMax } from "#src/core/limits.ts";
import { MetadataBatchBuilder, metadataBatchBytesMax, metadataRecords } from "#src/journals/metadata-batch.ts";
import { type MetadataEntry, metadataEntryBytes } from "#src/journals/metadata-entry.ts";
import { PlainBatch } from "#src/journals/plain-batch.ts";
import { addressOf, holeAddress } from "#src/records/address.ts";
import { type BatchHeader, batchMagic, getBatchHeader } from "#src/records/batch.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const plainTypes: ReadonlySet<number> = new Set([recordType.write, recordType.trim, recordType.zero, recordType.flush]);
const start = 512;

/** Beyond what 32 bits have. */
function largeBelow(random: SeededRandom, highBelow: number): number {
  return random.integerBelow(highBelow) * 2 ** 32 + random.integerBelow(2 ** 32);
}

function entryOf(random: SeededRandom, seq: number, type: number, extraBytes = 0): MetadataEntry {
  const isWrite = type === recordType.write;
  const address = isWrite ? addressOf(1 + random.integerBelow(2 ** 30), random.integerBelow(60_000)) : holeAddress;
  return {
    ...{ type, volume: random.pick([1, 1, 1, 2 ** 32 - 2]), seq, timeMicros: largeBelow(random, 2 ** 20) },
    ...{ startBlock: largeBelow(random, 2 ** 19), blockCount: 1 + random.integerBelow(isWrite ? 100 : 2 ** 32 - 1) },
    ...{ address, epoch: 2 ** 31 + 5, ordinal: largeBelow(random, 2 ** 21), extraBytes },
    level: random.integerBelow(levelSecondsMax + 1),
  };
}

/** With records of other types now and then. */
function randomBatch(random: SeededRandom): { readonly bytes: Buffer; readonly header: BatchHeader } {
  const builder = new MetadataBatchBuilder();
  const firstSeq = 1 + largeBelow(random, 2 ** 20);
  const extra = encodeExtra({ name: "a" });
  const count = 1 + random.integerBelow(20);
  for (let index = 0; index < count; index++) {
    if (random.chance(0.02)) builder.add(entryOf(random, firstSeq + index, recordType.mark, extra.length), extra, 0);
    else builder.add(entryOf(random, firstSeq + index, random.pick([...plainTypes])), extra, 0);
  }
  const bytes = Buffer.alloc(start + metadataBatchBytesMax);
  builder.finish({ incarnation: 7, position: 0, durableSeq: 0 }, bytes, start);
  return { bytes, header: getBatchHeader(bytes, start, batchMagic.metadata) as BatchHeader };
}

const plain = new PlainBatch();

function plainOf({ bytes, header }: ReturnType<typeof randomBatch>): PlainBatch | undefined {
  return plain.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), start, header) ? plain : undefined;
}

/** What is wrong with what is found. */
function difference(batch: ReturnType<typeof randomBatch>): string | undefined {
  const records = metadataRecords(batch.bytes, start, batch.header);
  const isPlain = records?.every(({ type, extraBytes }) => plainTypes.has(type) && extraBytes === 0) ?? false;
  const plain = plainOf(batch);
  if (isPlain !== (plain !== undefined)) return isPlain ? "a plain batch is not taken for one" : "another one is";
  if (plain === undefined || records === undefined) return undefined;
  const found = records.map((_, index) => ({
    ...{ seq: plain.firstSeq + index, volume: plain.volumes[index], startBlock: plain.startBlocks[index] },
    ...{ address: plain.addresses[index], timeMicros: plain.timesMicros[index] },
  }));
  const counts = records.map(({ type, blockCount }) => (type === recordType.flush ? 0 : blockCount));
  expect([...plain.blockCounts.subarray(0, plain.count)]).toEqual(counts);
  const isOfOneVolume = counts.every((one) => one > 0) && new Set(records.map(({ volume }) => volume)).size === 1;
  expect(plain.isOfOneVolume).toBe(isOfOneVolume);
  expect(records).toMatchObject(found);
  return plain.count === records.length ? undefined : "it has another number of records";
}

test("a plain batch is read as its records are", () => {
  const random = new SeededRandom(5);
  let plainCount = 0;
  for (let round = 0; round < 100; round++) {
    const batch = randomBatch(random);
    expect(difference(batch)).toBeUndefined();
    if (plainOf(batch) !== undefined) plainCount++;
  }
  expect(plainCount).toBeGreaterThan(30);
  expect(plainCount).toBeLessThan(100);
});

test("whatever bit of an entry is another one, it is found where its record would not be sound, and nowhere else", () => {
  const random = new SeededRandom(6);
  const counts = { sound: 0, unsound: 0 };
  for (let round = 0; round < 4; round++) {
    const batch = randomBatch(random);
    if (plainOf(batch) === undefined) continue;
    const at = start + batchHeaderBytes + random.integerBelow(batch.header.recordCount) * metadataEntryBytes;
    for (let bit = 0; bit < 8 * metadataEntryBytes; bit++) {
      const byte = at + (bit >> 3);
      batch.bytes[byte] = (batch.bytes[byte] as number) ^ (1 << (bit & 7));
      expect([bit, difference(batch)]).toEqual([bit, undefined]);
      counts[plainOf(batch) === undefined ? "unsound" : "sound"]++;
      batch.bytes[byte] = (batch.bytes[byte] as number) ^ (1 << (bit & 7));
    }
  }
  expect(counts.sound).toBeGreaterThan(300);
  expect(counts.unsound).toBeGreaterThan(300);
});
