/** What the remote appliance tells of the groups that land there, and of how far back their history reaches. */
import type { HistoryWindow } from "../kept-histories.ts";
import { windowSeconds } from "../protection-window.ts";
import type { RemoteGroupFacts } from "../role.ts";
import { localGroupStates } from "./group-metrics.ts";
import type { LabelValues, Metric, NumberMetric, Sample } from "./metric.ts";
import { known, oneOf } from "./metric.ts";
import type { MetricsSnapshot } from "./metrics-snapshot.ts";

const labels = ["group"] as const;
const remoteGroupStates = [
  ...["opening", "open", "full", "stopped"],
] as const satisfies readonly RemoteGroupFacts["state"][];

function labelsOf({ name }: RemoteGroupFacts): LabelValues {
  return { group: name };
}

function figure(
  name: string,
  kind: NumberMetric["kind"],
  help: string,
  of: (group: RemoteGroupFacts) => number | undefined,
): NumberMetric {
  const read = ({ remoteGroups }: MetricsSnapshot): Sample[] =>
    remoteGroups.flatMap((group) => known(labelsOf(group), of(group)));
  return { name, kind, help, labels, read };
}

/** Of groups whose records are in the store, and that are still known by their name. */
function ofWindow(
  name: string,
  help: string,
  of: (window: HistoryWindow, group: RemoteGroupFacts) => number | undefined,
): NumberMetric {
  const read = ({ remoteGroups, store }: MetricsSnapshot): Sample[] => {
    const byId = new Map(remoteGroups.map((group) => [group.id, group]));
    return (store?.state?.windows ?? []).flatMap((window) => {
      const group = byId.get(window.group);
      return group === undefined ? [] : known(labelsOf(group), of(window, group));
    });
  };
  return { name, kind: "gauge", help, labels, read };
}

/** Where both appliances run in one process, each has a state of its own. */
function groupStates({ groups, remoteGroups }: MetricsSnapshot): Sample[] {
  return [
    ...groups.flatMap(({ name, state }) => oneOf({ group: name, role: "local" }, "state", localGroupStates, state)),
    ...remoteGroups.flatMap(({ name, state }) =>
      oneOf({ group: name, role: "remote" }, "state", remoteGroupStates, state),
    ),
  ];
}

function checksumErrors({ remoteGroups, store }: MetricsSnapshot): Sample[] {
  if (remoteGroups.length === 0 && store === undefined) return [];
  const sum = (of: (group: RemoteGroupFacts) => number): number => remoteGroups.reduce((all, one) => all + of(one), 0);
  const journal = sum(({ journalErrors = 0 }) => journalErrors) + (store?.sealed.damagedBlocks ?? 0);
  return [
    ...known(
      { where: "wire" },
      sum(({ checksumErrors, journalErrors = 0 }) => checksumErrors - journalErrors),
    ),
    ...known({ where: "journal" }, journal),
    ...known({ where: "store" }, store?.state?.counts?.scrubFlaws),
  ];
}

/** What reaches the disks for a byte that arrives; undefined before anything has. */
function amplification({ remoteGroups, store }: MetricsSnapshot): number | undefined {
  const landedBytes = remoteGroups.reduce((sum, { landedBytes = 0 }) => sum + landedBytes, 0);
  if (landedBytes === 0 || store === undefined) return undefined;
  const rewrittenBytes = store.state?.counts?.collectWrittenBytes ?? 0;
  const snapshotBytes = store.state?.synthesis.writtenBytes ?? 0;
  return (landedBytes + store.sealed.physicalBytes + rewrittenBytes + snapshotBytes) / landedBytes;
}

export const remoteGroupMetrics: readonly Metric[] = [
  {
    name: "group_state",
    kind: "gauge",
    help: "1 for the state that the group is in, at the local appliance and at the remote one. stopped: a person has to look.",
    labels: [...labels, "role", "state"],
    read: groupStates,
  },
  figure(
    "journal_records_total",
    "counter",
    "Records that have landed in the group's journals, those that aggregates stand for included.",
    ({ landedRecords }) => landedRecords,
  ),
  figure("journal_bytes", "gauge", "Bytes of the group's journals.", ({ journalBytes }) => journalBytes),
  figure(
    "unsealed_bytes",
    "gauge",
    "Payload of closed segments that waits to be sealed into the store; beyond 64 GiB the group takes no more.",
    ({ unsealedBytes }) => unsealedBytes,
  ),
  figure(
    "sealing_failed",
    "gauge",
    "1 while the oldest of them could not be sealed, and is tried again.",
    ({ sealWhy }) => (sealWhy === undefined ? 0 : 1),
  ),
  {
    name: "checksum_errors_total",
    kind: "counter",
    help:
      "What was not what its checksum was made for: batches that arrived (wire), blocks read of journals (journal), objects of " +
      "the store (store). Nothing of it is ever used.",
    labels: ["where"],
    read: checksumErrors,
  },
  ofWindow(
    "points_oldest_timestamp_seconds",
    "Time of the oldest record that is kept in the store: no point is older. Absent before anything was sealed.",
    ({ oldestMicros }) => (oldestMicros === undefined ? undefined : oldestMicros / 1e6),
  ),
  ofWindow("protection_window_seconds", "From there to the newest record that has landed.", windowSeconds),
  ofWindow(
    "history_room_seconds",
    "How far back the room of the store will reach if as much is written as it was. Absent where less than an hour is kept.",
    ({ forecast }) => forecast?.roomSeconds,
  ),
  ofWindow(
    "history_room_measured",
    "1 where that follows from what history of every age has cost, 0 where none is so old yet: then it will reach further.",
    ({ forecast }) => (forecast === undefined ? undefined : forecast.isAtLeast ? 0 : 1),
  ),
  {
    name: "write_amplification",
    kind: "gauge",
    help: "Bytes written to journals and store, collections and snapshots included, for each byte that has landed since the start.",
    labels: ["role"],
    read: (snapshot) => known({ role: "remote" }, amplification(snapshot)),
  },
];
