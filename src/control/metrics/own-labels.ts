/**
 * Names that tell what they stand for: two series of one name would be one to whoever scrapes, with the figures of either. Several
 * sites may have a group of one name, and so has one whose local appliance began anew; a volume may have been removed and added again.
 */
import type { RemoteGroupFacts } from "../role.ts";
import type { LastDrill } from "./measures.ts";

/** Where a name is not one group's alone, each of its groups has its id beside it, as in what `tidemark status` shows. */
export function ownGroups(groups: readonly RemoteGroupFacts[]): readonly RemoteGroupFacts[] {
  const byName = Map.groupBy(groups, ({ name }) => name);
  return groups.map((group) =>
    byName.get(group.name)?.length === 1 ? group : { ...group, name: `${group.name} (${group.id})` },
  );
}

/** `groups`: as they are called now. Of volumes that are called the same, one after the other, the newest counts. */
export function ownDrills(drills: readonly LastDrill[], groups: readonly RemoteGroupFacts[]): readonly LastDrill[] {
  const names = new Map(groups.map(({ id, name }) => [id, name]));
  const last = new Map<string, LastDrill>();
  for (const drill of drills) {
    const own = { ...drill, group: names.get(drill.groupId) ?? drill.group };
    const key = `${own.group}/${own.volume}`;
    const other = last.get(key);
    if (other === undefined || isNewer(own, other)) last.set(key, own);
  }
  return [...last.values()];
}

/** Numbers are of one group alone: of groups that nobody knows any more only the time is left. */
function isNewer(one: LastDrill, other: LastDrill): boolean {
  if (one.groupId === other.groupId) return one.number > other.number;
  return one.endedMs > other.endedMs;
}
