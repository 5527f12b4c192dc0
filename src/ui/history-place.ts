/** Whether there is a history of a volume to ask for here: what is asked for too early, or elsewhere, is only refused. */
import type { StatusReport } from "#src/control/control-plane.ts";
import type { ShownVolume } from "./shown-volumes.ts";

/** `not yet`: nothing of it has come to the remote appliance. `elsewhere`: that does not run here. */
export type HistoryPlace = "here" | "not yet" | "elsewhere";

export const placeInWords: Readonly<Record<Exclude<HistoryPlace, "here">, string>> = {
  "not yet": "There is no point yet: nothing of it has come to the remote appliance so far.",
  elsewhere: "It is the remote appliance's, which does not run here: the page of that one shows it.",
};

export function historyPlace(
  status: Pick<StatusReport, "roles" | "remoteGroups"> | undefined,
  { name, group, groupId }: Pick<ShownVolume, "name" | "group" | "groupId">,
): HistoryPlace {
  if (status === undefined) return "not yet";
  if (!status.roles.includes("remote")) return "elsewhere";
  const isThere = status.remoteGroups.some(
    (one) =>
      one.name === group &&
      (groupId === undefined || one.id === groupId) &&
      one.volumes.some((volume) => volume.name === name),
  );
  return isThere ? "here" : "not yet";
}
