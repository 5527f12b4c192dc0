/** What every source of randomness must do. */
import { describe, expect, test } from "vitest";
import type { Randomness } from "#src/host/randomness.ts";

export function describeRandomnessContract(name: string, make: () => Randomness): void {
  describe(`${name} keeps the contract of randomness`, () => {
    test("it gives as many bytes as were asked for", () => {
      const randomness = make();
      for (const count of [0, 1, 16, 1000]) expect(randomness.bytes(count).length).toBe(count);
    });

    test("two draws of sixteen bytes differ", () => {
      const randomness = make();
      expect(randomness.bytes(16)).not.toEqual(randomness.bytes(16));
    });

    test("whole numbers stay below their limit and reach all below it", () => {
      const randomness = make();
      const seen = new Set<number>();
      for (let draw = 0; draw < 2000; draw++) seen.add(randomness.integerBelow(7));
      expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    });

    test("the smallest and the largest limit work", () => {
      const randomness = make();
      expect(randomness.integerBelow(1)).toBe(0);
      const draws = Array.from({ length: 100 }, () => randomness.integerBelow(2 ** 32));
      expect(draws.every((draw) => Number.isInteger(draw) && draw >= 0 && draw < 2 ** 32)).toBe(true);
      expect(Math.max(...draws)).toBeGreaterThan(2 ** 31);
    });

    test("a limit that is none is refused", () => {
      const randomness = make();
      for (const limit of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN]) {
        expect(() => randomness.integerBelow(limit)).toThrow("a limit is from 1 to 2^32");
      }
    });
  });
}
