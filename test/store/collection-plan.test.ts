import { expect, test } from "vitest";
import { collectionLeftMax, collectionSegmentsMax } from "#src/core/store-limits.ts";
import type { SegmentFacts } from "#src/store/collection-facts.ts";
import { type CollectionPlan, CollectionPlanner } from "#src/store/collection-plan.ts";
import { generationMax } from "#src/store/segment-format.ts";

const newest = 1000;

function facts(segment: number, freedBytes: number, other: Partial<SegmentFacts> = {}): SegmentFacts {
  const state = { isUnsettled: false, isUnreadable: false, isNeeded: true };
  return { segment, generation: 0, objectBytes: 1000, ...state, liveCount: 5, deadCount: 5, freedBytes, ...other };
}

function planOf(all: readonly SegmentFacts[], neededBytes = 0): CollectionPlan {
  const planner = new CollectionPlanner(newest, { neededBytes });
  for (const one of all) planner.add(one);
  return planner.planned();
}

const numbersOf = (plan: CollectionPlan) => plan.segments.map(({ segment }) => segment);

test("what is worth it is planned, most gain first, and what nobody needs is removed", () => {
  const gone = facts(3, 1000, { isNeeded: false, liveCount: 0, deadCount: 0 });
  const plan = planOf([facts(1, 300), facts(2, 800), gone, facts(4, 249), facts(5, 800, { objectBytes: 1200 })]);
  expect(plan.segments.map(({ segment, action }) => [segment, action])).toEqual([
    [3, "remove"],
    [2, "rewrite"],
    [5, "rewrite"],
    [1, "rewrite"],
  ]);
  expect(plan.left).toEqual([{ segment: 4, reason: "notWorthIt", objectBytes: 1000, freedBytes: 249 }]);
});

test("each segment that stays has its reason", () => {
  const plan = planOf([
    facts(1, 0),
    facts(2, 1000, { isUnsettled: true }),
    facts(3, 900, { isUnreadable: true }),
    facts(4, 900, { generation: generationMax }),
    facts(newest, 1000, { isNeeded: false }),
    facts(6, 1000, { generation: generationMax, isNeeded: false }),
    facts(7, 10),
  ]);
  expect(numbersOf(plan)).toEqual([6]);
  expect(Object.fromEntries(plan.left.map(({ segment, reason }) => [segment, reason]))).toEqual({
    2: "unsettled",
    3: "unreadable",
    4: "lastGeneration",
    [newest]: "newest",
    7: "notWorthIt",
  });
  expect(plan.sums.find(({ reason }) => reason === "allNeeded")).toEqual({
    reason: "allNeeded",
    segmentCount: 1,
    objectBytes: 1000,
    freedBytes: 0,
  });
});

test("in need less is worth it, as far as that is needed", () => {
  const all = [facts(1, 500), facts(2, 200), facts(3, 100), facts(4, 50), facts(5, 10)];
  expect(numbersOf(planOf(all, 0))).toEqual([1]);
  expect(numbersOf(planOf(all, 500))).toEqual([1]);
  expect(numbersOf(planOf(all, 501))).toEqual([1, 2]);
  expect(numbersOf(planOf(all, 701))).toEqual([1, 2, 3]);
  expect(numbersOf(planOf(all, 1e9))).toEqual([1, 2, 3, 4]);
});

test("a plan has a bound, and says what is left for the next one", () => {
  const all = Array.from({ length: collectionSegmentsMax + 700 }, (_, index) =>
    facts(2000 + index, 300 + (index % 500)),
  );
  const plan = planOf(all);
  expect(plan.segments.length).toBe(collectionSegmentsMax);
  expect(Math.min(...plan.segments.map(({ freedBytes }) => freedBytes))).toBeGreaterThan(400);
  expect(plan.sums).toMatchObject([{ reason: "later", segmentCount: 700 }]);
  expect(plan.left.length).toBe(collectionLeftMax);
});
