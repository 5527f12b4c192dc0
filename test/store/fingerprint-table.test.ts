import { expect, test } from "vitest";
import { FingerprintTable } from "#src/store/fingerprint-table.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

test("it holds what a map holds, whatever is put into it", () => {
  const random = new SeededRandom(1);
  const table = new FingerprintTable();
  const model = new Map<string, number>();
  for (let round = 0; round < 20_000; round++) {
    // Few values, so that keys share halves and places.
    const [high, low] = [random.integerBelow(40), random.integerBelow(2 ** 32) & 0xffff0003];
    const key = `${high} ${low >>> 0}`;
    expect(table.get(high, low >>> 0)).toBe(model.get(key));
    const address = random.integerBelow(1000);
    table.put(high, low >>> 0, address);
    model.set(key, address);
  }
  expect(table.count).toBe(model.size);
  const found = new Map<string, number>();
  table.visitSorted((high, low, address) => {
    found.set(`${high} ${low}`, address);
  });
  expect(found).toEqual(model);
});

test("its keys come in the order of their bytes", () => {
  const random = new SeededRandom(2);
  const table = new FingerprintTable();
  const keys: Buffer[] = [];
  for (let round = 0; round < 5000; round++) {
    const key = random.bytes(8);
    keys.push(key);
    table.put(key.readUInt32BE(0), key.readUInt32BE(4), round);
  }
  const order: number[] = [];
  table.visitSorted((_high, _low, address) => {
    order.push(address);
  });
  const sorted = keys.map((key, round) => ({ key, round })).sort((a, b) => a.key.compare(b.key));
  expect(order).toEqual(sorted.map(({ round }) => round));
});

test("keys of all zeros and of all ones are keys like others", () => {
  const table = new FingerprintTable();
  table.put(0, 0, 7);
  table.put(0xffffffff, 0xffffffff, 8);
  expect([table.get(0, 0), table.get(0xffffffff, 0xffffffff), table.get(0, 1)]).toEqual([7, 8, undefined]);
});

test("an empty table gives its memory back, and knows nothing", () => {
  const table = new FingerprintTable();
  const bytes = table.bytes;
  for (let key = 0; key < 10_000; key++) table.put(key, key, key);
  expect(table.bytes).toBeGreaterThan(bytes);
  expect(table.bytes).toBeLessThanOrEqual(FingerprintTable.bytesFor(10_000));
  table.clear();
  expect([table.bytes, table.count, table.get(1, 1)]).toEqual([bytes, 0, undefined]);
});
