/** Drives what waits on a simulated clock behind a server that takes some turns of the event loop of its own. */
import type { Driver } from "#test/contract/driver.ts";
import { promisesSettled, type SimClock } from "#test/sim/sim-clock.ts";

/** More than an answer takes on its way through the server, which waits for nothing. */
const turnsOfServer = 30;

export function apiDriver(clock: SimClock): Driver {
  return {
    until: async (condition) => {
      for (;;) {
        for (let turn = 0; turn < turnsOfServer; turn++) {
          await promisesSettled();
          if (condition()) return;
        }
        clock.step();
      }
    },
    quiet: () => clock.settle(),
  };
}
