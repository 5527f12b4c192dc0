import { describe, expect, test } from "vitest";
import { FingerprintFilter } from "#src/store/fingerprint-filter.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const keyCount = 20_000;

function filled(bitsPerKey: number, bytesMax = Number.MAX_SAFE_INTEGER): { filter: FingerprintFilter; wrong: number } {
  const random = new SeededRandom(3);
  const filter = FingerprintFilter.forKeys(keyCount, { bitsPerKey, bytesMax });
  const keys = Array.from(
    { length: keyCount },
    () => [random.integerBelow(2 ** 32), random.integerBelow(2 ** 32)] as const,
  );
  for (const [high, low] of keys) filter.add(high, low);
  expect(keys.every(([high, low]) => filter.mayHave(high, low))).toBe(true);
  let wrong = 0;
  for (let key = 0; key < keyCount; key++) {
    if (filter.mayHave(random.integerBelow(2 ** 32), random.integerBelow(2 ** 32))) wrong++;
  }
  return { filter, wrong: wrong / keyCount };
}

describe("what was added may always be there, and of what was not", () => {
  test.each([
    [12, 0.01],
    [8, 0.05],
    [4, 0.25],
    [2, 0.5],
    [1, 0.75],
  ])("with %d bits a key at most a part of %d too", (bitsPerKey, part) => {
    expect(filled(bitsPerKey).wrong).toBeLessThan(part);
  });
});

test("a filter that may not be as large as it should is surer than none", () => {
  const { filter, wrong } = filled(12, keyCount / 2);
  expect(filter.bytes).toBeLessThanOrEqual(keyCount / 2);
  expect(wrong).toBeLessThan(0.25);
});

test("no filter is too small, and the ends of the keys belong to it", () => {
  const filter = FingerprintFilter.forKeys(0, { bitsPerKey: 12, bytesMax: 0 });
  expect(filter.mayHave(0, 0)).toBe(false);
  filter.add(0, 0);
  filter.add(0xffffffff, 0xffffffff);
  expect([filter.mayHave(0, 0), filter.mayHave(0xffffffff, 0xffffffff)]).toEqual([true, true]);
});
