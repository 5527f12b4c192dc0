/** What a side has told, as old as it is by now. */
import type { GroupFacts } from "./role.ts";
import type { SideFacts } from "./side.ts";
import type { KnownFacts } from "./side-client.ts";

/** What was not durable when that was told has grown older since; whether it is durable by now nobody knows yet. */
export function agedFacts({ facts, ageSeconds }: Pick<KnownFacts, "facts" | "ageSeconds">): SideFacts {
  const aged = (group: GroupFacts): GroupFacts =>
    group.lagRecords === 0 ? group : { ...group, lagSeconds: group.lagSeconds + ageSeconds };
  return { ...facts, groups: facts.groups.map(aged) };
}
