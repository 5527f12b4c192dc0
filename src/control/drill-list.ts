/** The drills that there were, as operators list them: which of their points are there still, and which volumes have none yet. */
import { isOwnFault } from "#src/core/assert.ts";
import { viewPatienceMs } from "#src/core/view-limits.ts";
import { type Drill, type DrillsReport, drillReport, type WaitingDrill } from "./drill.ts";
import type { ViewProcess } from "./view-process.ts";
import type { VolumesOfGroup } from "./volume-of-group.ts";

export interface DrillListParts {
  readonly drills: () => readonly Drill[];
  readonly waiting: () => readonly WaitingDrill[];
  readonly server: Pick<ViewProcess, "ask">;
  readonly groups: () => readonly VolumesOfGroup[];
}

export async function drillsReport({ drills, waiting, server, groups }: DrillListParts): Promise<DrillsReport> {
  const all = drills();
  const still = new Map<string, ReadonlySet<number>>();
  const ask = async ({ id: group, durable: durableSeq }: VolumesOfGroup): Promise<void> => {
    const seqs = [...new Set(all.filter((drill) => drill.group === group).map(({ seq }) => seq))];
    if (seqs.length === 0) return;
    try {
      still.set(group, new Set(await server.ask("stillPoints", { group, durableSeq, seqs }, viewPatienceMs)));
    } catch (error) {
      // What came of them is told all the same.
      if (isOwnFault(error)) throw error;
    }
  };
  await Promise.all(groups().map(ask));
  const reports = all.map((drill) => drillReport(drill, still.get(drill.group)?.has(drill.seq)));
  return { drills: reports, waiting: waiting() };
}
