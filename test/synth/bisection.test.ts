import { expect, test } from "vitest";
import { Bisection } from "#src/synth/bisection.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

/** Answers the first bad point as it was found, and how often a point was tried. */
function bisected(points: readonly number[], firstBad: number): { found: number; tries: number } {
  const bisection = new Bisection(points[0] as number, points.at(-1) as number);
  let tries = 0;
  for (let seq = bisection.nextSeq; seq !== undefined; seq = bisection.nextSeq) {
    const wanted = seq;
    const point = points.findLast((one) => one <= wanted) as number;
    if (bisection.isNews(point)) tries++;
    bisection.found(point, point >= firstBad);
  }
  return { found: bisection.badSeq, tries };
}

test("the first bad point is found, wherever points lie", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new SeededRandom(seed);
    const points = [random.integerBelow(50)];
    const count = 2 + random.integerBelow(40);
    // Aggregates and resyncs leave wide gaps.
    while (points.length < count)
      points.push((points.at(-1) as number) + 1 + random.integerBelow(random.pick([1, 3, 500])));
    const firstBad = points[1 + random.integerBelow(points.length - 1)] as number;
    expect(bisected(points, firstBad).found).toBe(firstBad);
  }
});

test("a million points take twenty tries", () => {
  const points = Array.from({ length: 2 ** 20 + 1 }, (_, seq) => seq);
  expect(bisected(points, 654_321)).toEqual({ found: 654_321, tries: 20 });
});

test("a good point behind the bad one is refused", () => {
  expect(() => new Bisection(9, 9)).toThrow("must be before");
});
