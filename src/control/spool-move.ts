/** Volumes that were fenced since their group's spool has failed, and go back to work when the group has another one. */
import type { GroupReport } from "./readiness.ts";
import type { VolumeFacts } from "./role.ts";
import type { SideClient } from "./side-client.ts";

export interface StillFenced {
  readonly volume: string;
  readonly why: string;
}

/** The group as it is with its new spool. */
export interface SpoolMove extends GroupReport {
  /** Fenced by the old one's failure, and not taken back to work. Absent: none. */
  readonly stillFenced?: readonly StillFenced[];
}

/** Those that say what it says itself. What another one is fenced for, such as its source, no spool mends. */
export function fencedByGroup(
  { name, state, why }: Pick<GroupReport, "name" | "state" | "why">,
  volumes: readonly Pick<VolumeFacts, "name" | "group" | "state" | "why">[],
): readonly string[] {
  if (state !== "stopped") return [];
  const fenced = volumes.filter((volume) => volume.group === name && volume.state === "fenced" && volume.why === why);
  return fenced.map((volume) => volume.name);
}

/** Each is tried, whatever became of those before it. Answers those that are fenced still. */
export async function unfenceAll(
  side: Pick<SideClient, "ask">,
  names: readonly string[],
): Promise<readonly StillFenced[]> {
  const stillFenced: StillFenced[] = [];
  for (const volume of names) {
    try {
      await side.ask("unfence", { name: volume });
    } catch (error) {
      stillFenced.push({ volume, why: (error as Error).message });
    }
  }
  return stillFenced;
}
