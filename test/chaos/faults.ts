/** What goes wrong, in lanes: of one lane only one thing at a time, of several lanes many things at once. */
import { standstills, storeFaults } from "./disk-faults.ts";
import type { FaultKind } from "./fault-kind.ts";
import { linkFaults } from "./link-faults.ts";
import { processFaults } from "./process-faults.ts";
import { strangers } from "./stranger-faults.ts";

function jumping(name: string, leastMs: number, mostMs: number): FaultKind {
  return {
    name,
    begin: async ({ jump }, random) => {
      jump(random.between(leastMs, mostMs));
      return { end: async () => jump(0) };
    },
  };
}

/** Ahead only a little: as long as a clock was ahead, times stand still when it is right again, and nothing comes of age. */
const clockFaults: readonly FaultKind[] = [
  jumping("clock ahead", 1000, 30_000),
  jumping("clock behind", -86_400_000, -1000),
];

export const lanes: Readonly<Record<string, readonly FaultKind[]>> = {
  processes: processFaults,
  link: linkFaults,
  store: storeFaults,
  standstills,
  strangers,
  clock: clockFaults,
};
