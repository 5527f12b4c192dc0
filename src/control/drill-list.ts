/** The drills that there were, as operators list them: which of their points are there still, and which volumes have none yet. */
import { isOwnFault } from "#src/core/assert.ts";
import { viewPatienceMs } from "#src/core/view-limits.ts";
import { type Drill, type DrillsReport, drillReport, noPoint, type WaitingDrill } from "./drill.ts";
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
  const ask = async ({ id: group, durable: durableSeq }: VolumesOfGroup, volume: number): Promise<void> => {
    const isOfIt = (drill: Drill): boolean => drill.group === group && drill.volume === volume;
    const seqs = [...new Set(all.filter(isOfIt).map(({ seq }) => seq))].filter((seq) => seq !== noPoint.seq);
    if (seqs.length === 0) return;
    try {
      const found = await server.ask("stillPoints", { group, volume, durableSeq, seqs }, viewPatienceMs);
      still.set(keyOf({ group, volume }), new Set(found));
    } catch (error) {
      // What came of them is told all the same.
      if (isOwnFault(error)) throw error;
    }
  };
  const asks = groups().flatMap((group) => {
    const volumes = new Set(all.filter((drill) => drill.group === group.id).map(({ volume }) => volume));
    return [...volumes].map((volume) => ask(group, volume));
  });
  await Promise.all(asks);
  const reports = all.map((drill) => drillReport(drill, still.get(keyOf(drill))?.has(drill.seq)));
  return { drills: reports, waiting: waiting() };
}

function keyOf({ group, volume }: Pick<Drill, "group" | "volume">): string {
  return `${group} ${volume}`;
}
