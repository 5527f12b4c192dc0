/** Drives what waits on a simulated clock. */
import { assert } from "#src/core/assert.ts";
import type { Driver } from "#test/contract/driver.ts";
import { promisesSettled, type SimClock } from "./sim-clock.ts";

export function simDriver(clock: SimClock): Driver {
  return {
    until: async (condition) => {
      await promisesSettled();
      while (!condition()) {
        assert(clock.step(), "nothing is left to happen, and what was waited for did not");
        await promisesSettled();
      }
    },
    quiet: () => clock.settle(),
  };
}
