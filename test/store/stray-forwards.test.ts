import { expect, test } from "vitest";
import { addressOf } from "#src/records/address.ts";
import type { LiveBlocks } from "#src/store/live-blocks.ts";
import { StrayForwards } from "#src/store/stray-forwards.ts";
import { FreeWork } from "./free-work.ts";

const stray = { slot: 5, finding: "it leads to slot 1 of segment 3, which keeps nothing" };

/** Only what points reach is needed, but for segments of which that is not known. */
function reaching(address: number, settledSegments: readonly number[]): LiveBlocks {
  return {
    markLive: async (marks) => {
      marks.mark(address, 1);
      return new Set(settledSegments);
    },
  };
}

test("a forward that leads to nothing is damage where a point needs it, or nobody can tell", async () => {
  const strays = new StrayForwards();
  strays.set({ segment: 7, generation: 0 }, [stray, { ...stray, slot: 9 }]);
  const slotsOf = async (live: LiveBlocks) =>
    (await strays.needed(live, new FreeWork())).flatMap(({ slots }) => slots.map(({ slot }) => slot));
  expect(await slotsOf(reaching(addressOf(7, 3), [7]))).toEqual([]);
  expect(await slotsOf(reaching(addressOf(7, 9), [7]))).toEqual([9]);
  expect(await slotsOf(reaching(addressOf(7, 9), []))).toEqual([5, 9]);
});

test("of a segment that has gone since, or was written anew, it says nothing", async () => {
  const strays = new StrayForwards();
  for (const segment of [7, 8]) strays.set({ segment, generation: 0 }, [stray]);
  strays.keepOnly(({ segment }) => segment === 8);
  const needed = await strays.needed(reaching(addressOf(7, 5), []), new FreeWork());
  expect(needed.map(({ identity }) => identity.segment)).toEqual([8]);
});
