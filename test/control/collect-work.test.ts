/** What a collection does in which order, and what is told of it. */
import { expect, test } from "vitest";
import { type CollectParts, collect, planCollection } from "#src/control/collect-work.ts";
import type { JobReport } from "#src/control/job.ts";
import type { GroupRetention } from "#src/control/kept-histories.ts";
import { collectionFacts, withLastCollection } from "#src/control/store-state.ts";
import type { CollectionDocument, CollectionState } from "#src/store/collection-document.ts";
import type { CollectionPlan } from "#src/store/collection-plan.ts";
import type { WorkControl } from "#src/store/work-control.ts";

/** Nothing of what is called here looks at it. */
const unhurried = {} as WorkControl;

const plan: CollectionPlan = {
  neededBytes: 0,
  segments: [],
  sums: [{ reason: "allNeeded", segmentCount: 2, objectBytes: 99, freedBytes: 0 }],
  left: [],
};
const outcome = {
  ...{ removedSegments: 1, rewrittenSegments: 0, droppedBlocks: 5, skippedSegments: 0 },
  ...{ removedBytes: 100, writtenBytes: 30 },
};
const expiring: GroupRetention = {
  group: "a1",
  plan: { pieces: ["pieces/a1/1"], snapshots: [], alarm: undefined, base: undefined, heldBy: undefined } as never,
};

/** In which order it was done stands in `steps`. */
function partsWith(noted: CollectionState | undefined, retentions: readonly GroupRetention[]) {
  const steps: string[] = [];
  let state = noted;
  const document = (): CollectionDocument | undefined =>
    state === undefined ? undefined : { state, madeMicros: 0, plan, outcome: state === "ended" ? outcome : undefined };
  const parts: CollectParts = {
    histories: {
      plan: async () => retentions,
      retain: async () => {
        steps.push("retain");
        return retentions;
      },
      planAgeing: async () => [],
      age: async () => {
        steps.push("age");
        return [];
      },
    },
    collection: {
      get isBegun() {
        return state === "begun";
      },
      get document() {
        return document();
      },
      plan: async () => {
        steps.push("plan");
        state = "planned";
        return plan;
      },
      run: async () => {
        steps.push(`run what is ${state}`);
        state = "ended";
        return outcome;
      },
    },
    reserve: { lackingBytes: 0 },
  };
  return { parts, steps };
}

test("what a dry run has planned is planned anew, behind what expires", async () => {
  const { parts, steps } = partsWith("planned", [expiring]);
  expect((await collect(parts, unhurried)).figures).toMatchObject({ freedBytes: 70, removedSegments: 1 });
  expect(steps).toEqual(["retain", "age", "plan", "run what is planned"]);
});

test("one that was begun is brought to its end first, and counted with the other", async () => {
  const { parts, steps } = partsWith("begun", [expiring]);
  const result = await collect(parts, unhurried);
  expect(result.figures).toMatchObject({ freedBytes: 140, removedSegments: 2 });
  expect(steps).toEqual(["run what is begun", "retain", "age", "plan", "run what is planned"]);
  const job = { kind: "collect", state: "done", dryRun: false, ended: "2031-05-17T00:00:00.000Z", result };
  const jobs = [job, { ...job, dryRun: true, ended: "2031-05-18T00:00:00.000Z" }] as unknown as JobReport[];
  const state = { collection: collectionFacts(parts.collection.document) } as never;
  expect(withLastCollection(state, jobs).collection).toEqual({
    ...{ lastMs: Date.UTC(2031, 4, 17), freedBytes: 140, isUnderWay: false },
  });
  expect(withLastCollection(state, []).collection).toEqual({ lastMs: 0, freedBytes: 70, isUnderWay: false });
});

test("a dry run does not tell what it cannot know: what is free when something has expired", async () => {
  const { parts } = partsWith(undefined, [expiring]);
  const { figures, lines } = await planCollection(parts, unhurried);
  expect(figures).toMatchObject({
    expiredPieces: 1,
    segmentsToRemove: null,
    segmentsToRewrite: null,
    toFreeBytes: null,
  });
  expect(lines).toEqual(["what frees room is planned when that has gone, and not counted here"]);
  const folded = partsWith(undefined, []);
  const ageing = { alarm: undefined, folds: [], heldBy: undefined, replacedCount: 3 };
  const histories = { ...folded.parts.histories, planAgeing: async () => [{ group: "a1", plan: ageing }] };
  const freed = await planCollection({ ...folded.parts, histories }, unhurried);
  expect(freed.figures.toFreeBytes).toBeNull();
  expect(freed.lines[0]).toBe("group a1: 3 pieces that were folded before go, with the blocks that nothing else needs");
  const settled = await planCollection(partsWith(undefined, []).parts, unhurried);
  expect(settled.figures.toFreeBytes).toBe(0);
  expect(settled.lines).toEqual(["2 segments stay: all of them is needed"]);
  expect(collectionFacts({ state: "planned", madeMicros: 5, plan, outcome: undefined }).lastMs).toBeUndefined();
});
