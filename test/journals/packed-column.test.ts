import { expect, test } from "vitest";
import { bitsOf, PackedReader, PackedWriter } from "#src/journals/packed-bytes.ts";
import { ColumnReader, ColumnWriter, columnBytesMax } from "#src/journals/packed-column.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const most = Number.MAX_SAFE_INTEGER;

function packed(values: readonly number[], predictions: readonly number[] = []): Buffer {
  const writer = new PackedWriter(columnBytesMax(values.length, 53));
  const column = new ColumnWriter(values.length);
  for (const [index, value] of values.entries()) column.add(value, predictions[index] ?? 0);
  column.finish(writer);
  return Buffer.from(writer.bytes);
}

function unpacked(bytes: Buffer, count: number, predictions: readonly number[] = [], valueMax = most) {
  const reader = new PackedReader(bytes);
  const column = new ColumnReader(reader, count, valueMax);
  const values = Array.from({ length: count }, (_, index) => column.take(predictions[index] ?? 0));
  return reader.isBroken || !reader.isAtEnd ? "broken" : values;
}

test("numbers come back, whatever they are and whatever was predicted", () => {
  const random = new SeededRandom(1);
  for (let round = 0; round < 300; round++) {
    const count = random.integerBelow(400);
    const any = () => {
      const value = random.integerBelow(2 ** random.integerBelow(32)) * 2 ** random.integerBelow(22);
      return random.chance(0.02) ? most : value;
    };
    const values = Array.from({ length: count }, any);
    const predictions = Array.from({ length: count }, any);
    expect(unpacked(packed(values, predictions), count, predictions)).toEqual(values);
  }
});

test("numbers that are as predicted take two bytes for 128 of them", () => {
  const values = Array.from({ length: 256 }, (_, index) => 2 ** 50 + index * 7);
  expect(packed(values, values).length).toBe(4);
});

test("numbers near each other take few bits, however large they are", () => {
  const values = Array.from({ length: 128 }, (_, index) => 2 ** 50 + ((index * 37) % 16));
  expect(packed(values).length).toBe(1 + 8 + 64);
});

test("the least and the largest difference fit", () => {
  const values = [0, most, 0, most];
  const predictions = [most, 0, 0, most];
  expect(unpacked(packed(values, predictions), 4, predictions)).toEqual(values);
});

test.each([
  [0, 0],
  [1, 1],
  [2 ** 31 - 1, 31],
  [2 ** 31, 32],
  [2 ** 32, 33],
  [most, 53],
])("%d has %d bits", (value, bits) => {
  expect(bitsOf(value)).toBe(bits);
});

test("a number beyond what the column may hold is found", () => {
  expect(unpacked(packed([1, 2, 3]), 3, [], 3)).toEqual([1, 2, 3]);
  expect(unpacked(packed([1, 2, 3]), 3, [], 2)).toBe("broken");
  expect(unpacked(packed([1, 2, 3], [1, 2, 3]), 3, [-2, 2, 3])).toBe("broken");
});

test("bytes that end too early or too late are found", () => {
  const bytes = packed([5, 900, 70_000]);
  for (let end = 0; end < bytes.length; end++) expect(unpacked(bytes.subarray(0, end), 3)).toBe("broken");
  expect(unpacked(Buffer.concat([bytes, Buffer.alloc(1)]), 3)).toBe("broken");
});

test("a number that is written in a longer way than it needs is refused", () => {
  expect(new PackedReader(Buffer.from([0x05])).takeVarint()).toBe(5);
  for (const bytes of [[0x85, 0x00], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x10], Array(9).fill(0x80)]) {
    const reader = new PackedReader(Buffer.from(bytes));
    reader.takeVarint();
    expect(reader.isBroken).toBe(true);
  }
});
