/** What the local appliance tells of its groups. */
import type { GroupFacts } from "../role.ts";
import type { LabelValues, Metric, NumberMetric } from "./metric.ts";
import { known, oneOf } from "./metric.ts";

const labels = ["group"] as const;
const modes = ["sync", "async", "aggregated"] as const satisfies readonly GroupFacts["mode"][];
const wantedModes = [...modes, "auto"] as const satisfies readonly GroupFacts["wantedMode"][];

export const localGroupStates = [
  ...["steady", "draining", "stalled", "suspended", "tracking", "stopped"],
] as const satisfies readonly GroupFacts["state"][];

function labelsOf({ name }: GroupFacts): LabelValues {
  return { group: name };
}

function figure(
  name: string,
  kind: NumberMetric["kind"],
  help: string,
  of: (group: GroupFacts) => number | undefined,
): NumberMetric {
  return {
    name,
    kind,
    help,
    labels,
    read: ({ groups }) => groups.flatMap((group) => known(labelsOf(group), of(group))),
  };
}

/** A group whose spool is lost knows nothing of what it holds, and has counted nothing. */
function isKnown({ modeSwitches }: GroupFacts): boolean {
  return modeSwitches !== undefined;
}

function ofKnown(of: (group: GroupFacts) => number | undefined): (group: GroupFacts) => number | undefined {
  return (group) => (isKnown(group) ? of(group) : undefined);
}

export const groupMetrics: readonly Metric[] = [
  {
    name: "mode",
    kind: "gauge",
    help: "1 for the mode that writes are acknowledged under; sync only once all before it is durable at the remote.",
    labels: [...labels, "mode"],
    read: ({ groups }) => groups.flatMap((group) => oneOf(labelsOf(group), "mode", modes, group.mode)),
  },
  {
    name: "mode_wanted",
    kind: "gauge",
    help: "1 for the mode that somebody has chosen.",
    labels: [...labels, "mode"],
    read: ({ groups }) => groups.flatMap((group) => oneOf(labelsOf(group), "mode", wantedModes, group.wantedMode)),
  },
  {
    name: "mode_switches_total",
    kind: "counter",
    help: "Switches of the mode; why is asked, auto, link-lost or link-back.",
    labels: [...labels, "from", "to", "why"],
    read: ({ groups }) =>
      groups.flatMap((group) =>
        (group.modeSwitches ?? []).map(({ count, ...how }) => ({
          labels: { ...labelsOf(group), ...how },
          value: count,
        })),
      ),
  },
  figure("link_up", "gauge", "1 while the remote appliance is connected, and takes the group.", ({ linkUp }) =>
    linkUp ? 1 : 0,
  ),
  figure(
    "lag_records",
    "gauge",
    "Records that are not durable at the remote. After a start, until the remote was reached, all that the spool holds.",
    ofKnown(({ lagRecords }) => lagRecords),
  ),
  figure(
    "lag_bytes",
    "gauge",
    "Bytes of them.",
    ofKnown(({ lagBytes }) => lagBytes),
  ),
  figure(
    "lag_seconds",
    "gauge",
    "Age of the oldest of them, as of this moment: what would be lost with this site.",
    ofKnown(({ lagSeconds }) => lagSeconds),
  ),
  figure(
    "durable_timestamp_seconds",
    "gauge",
    "All that was written before that moment is durable at the remote; the time of the newest record where nothing lags.",
    ({ durableMicros }) => (durableMicros === undefined ? undefined : durableMicros / 1e6),
  ),
  figure(
    "spool_bytes",
    "gauge",
    "Bytes of the spool's files that are in use.",
    ofKnown(({ spoolBytes }) => spoolBytes),
  ),
  figure("spool_limit_bytes", "gauge", "Bytes that the spool may take.", ({ spoolLimitBytes }) => spoolLimitBytes),
  figure(
    "pressure_ratio",
    "gauge",
    "How near the group is to its nearest limit, 0 to 1: writers are slowed from a half on, and wait at 1.",
    ({ pressure }) => pressure,
  ),
  figure(
    "aggregate_folded_bytes_total",
    "counter",
    "Payload that was overwritten before it was sent, and so never was.",
    ofKnown(({ foldedBytes }) => foldedBytes),
  ),
  figure(
    "shipped_bytes_total",
    "counter",
    "Bytes of batches and aggregates that were sent, before they were compressed; what was sent again counts again.",
    ofKnown(({ shippedBytes }) => shippedBytes),
  ),
  figure(
    "wire_bytes_total",
    "counter",
    "Bytes of batches and aggregates as they left for the remote, compressed or not, without the frames around them.",
    ofKnown(({ wireBytes }) => wireBytes),
  ),
  figure(
    "wire_frames_total",
    "counter",
    "Frames that these left in.",
    ofKnown(({ wireFrames }) => wireFrames),
  ),
];
