import { describe, expect, test } from "vitest";
import { nbdClientFragmentCountMax } from "#src/core/nbd-limits.ts";
import { Coverage } from "#src/nbd/client/coverage.ts";

function covering(start: number, lengthBytes: number): Coverage {
  const coverage = new Coverage();
  coverage.reset(start, lengthBytes);
  return coverage;
}

/** Every order of a few things. */
function* orders<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  if (items.length === 0) yield [];
  for (const [index, first] of items.entries()) {
    for (const rest of orders(items.filter((_, other) => other !== index))) yield [first, ...rest];
  }
}

const pieces = [
  [100, 10],
  [110, 1],
  [111, 39],
  [150, 25],
  [175, 25],
] as const;

describe("the bytes of a read", () => {
  test("are complete when all pieces came, in whatever order, and not before", () => {
    for (const order of orders(pieces)) {
      const coverage = covering(100, 100);
      for (const [index, [start, lengthBytes]] of order.entries()) {
        expect(coverage.complete).toBe(false);
        expect(coverage.add(start, lengthBytes)).toBe("added");
        expect(coverage.complete).toBe(index === pieces.length - 1);
      }
    }
  });

  test("are never counted twice, in whatever order the pieces came", () => {
    for (const order of orders(pieces.slice(0, 4))) {
      const coverage = covering(100, 100);
      for (const [start, lengthBytes] of order) coverage.add(start, lengthBytes);
      for (const [start, lengthBytes] of [
        [100, 1],
        [109, 2],
        [120, 5],
        [174, 1],
        [174, 26],
        [100, 100],
      ] as const) {
        expect(coverage.add(start, lengthBytes)).toBe("overlap");
      }
      expect(coverage.add(175, 25)).toBe("added");
      expect(coverage.complete).toBe(true);
    }
  });

  test("are not complete with a gap that an overlap has the size of", () => {
    const coverage = covering(0, 30);
    coverage.add(0, 10);
    expect(coverage.add(5, 10)).toBe("overlap");
    coverage.add(20, 10);
    expect(coverage.complete).toBe(false);
  });

  test("may be scattered over a bounded number of pieces", () => {
    const coverage = covering(0, 4 * nbdClientFragmentCountMax);
    for (let index = nbdClientFragmentCountMax; index > 0; index--) {
      expect(coverage.add(2 * index, 1)).toBe("added");
    }
    expect(coverage.add(0, 1)).toBe("scattered");
    expect(coverage.add(3, 1)).toBe("added");
  });

  test("are none again after a reset", () => {
    const coverage = covering(0, 1);
    coverage.add(0, 1);
    coverage.reset(0, 1);
    expect(coverage.complete).toBe(false);
    expect(coverage.isEmpty).toBe(true);
  });
});
