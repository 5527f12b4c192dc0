/** What the remote appliance tells of its store, and of the process that keeps it. */
import type { KeeperCounts } from "../keeper-counts.ts";
import type { StoreFacts } from "../role.ts";
import type { StoreState } from "../store-state.ts";
import type { Metric, NumberMetric } from "./metric.ts";
import { known } from "./metric.ts";
import type { MetricsSnapshot } from "./metrics-snapshot.ts";

type Read = (store: StoreFacts, state: StoreState | undefined) => number | undefined;

function single(name: string, kind: NumberMetric["kind"], help: string, of: Read): NumberMetric {
  return {
    ...{ name, kind, help, labels: [] },
    read: ({ store }) => (store === undefined ? [] : known({}, of(store, store.state))),
  };
}

function counted(name: string, help: string, of: (counts: KeeperCounts) => number): NumberMetric {
  return single(name, "counter", help, (_, state) => (state?.counts === undefined ? undefined : of(state.counts)));
}

function seconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}

/** By what they are for; those that are not known are left out. */
function byLabel(label: string, values: Readonly<Record<string, number | undefined>>) {
  return Object.entries(values).flatMap(([value, number]) => known({ [label]: value }, number));
}

/** What was taken from one place and written to another, without a host having asked for it. */
function movedBytes({ store, volumes, copiedBytes }: MetricsSnapshot): Record<string, number | undefined> {
  return {
    copy: volumes.some(({ measures }) => measures !== undefined) ? copiedBytes : undefined,
    seal: store?.sealed.logicalBytes,
    collect: store?.state?.counts?.collectWrittenBytes,
  };
}

const sizeMetrics: readonly Metric[] = [
  single(
    "store_up",
    "gauge",
    "1 where the store can be worked with, 0 where something stands in the way.",
    ({ trouble }) => (trouble === undefined ? 1 : 0),
  ),
  single(
    "store_logical_bytes",
    "gauge",
    "Bytes of blocks that were written and are kept, however often they have the same content; counted once a minute.",
    (_, state) => state?.sizes?.logicalBytes,
  ),
  single(
    "store_unique_bytes",
    "gauge",
    "Bytes of them without those that the store has already.",
    (_, state) => state?.sizes?.uniqueBytes,
  ),
  single(
    "store_physical_bytes",
    "gauge",
    "Bytes of all objects of the store.",
    (_, state) => state?.sizes?.physicalBytes,
  ),
  single(
    "store_free_bytes",
    "gauge",
    "Bytes that the disk of the store has left.",
    (_, state) => state?.counts?.freeBytes,
  ),
  single("store_segments", "gauge", "Sealed data segments that the store has.", ({ segmentCount }) => segmentCount),
  single(
    "store_damaged_blocks",
    "gauge",
    "Blocks that are known to be unreadable, and of which there is no other copy; without those that a crash left, and nothing needs.",
    (_, state) => state?.scrub.damagedBlocks,
  ),
  single(
    "store_findings",
    "gauge",
    "What scrubs and reads have found damaged, and was neither repaired nor has gone.",
    (_, state) => state?.scrub.findings,
  ),
];

const workMetrics: readonly Metric[] = [
  {
    name: "snapshot_synthesis_seconds",
    kind: "histogram",
    help: "How long it took to make a snapshot of an earlier one and the journal.",
    labels: [],
    read: ({ store }) => {
      const durations = store?.state?.counts?.syntheses;
      return durations === undefined ? [] : [{ labels: {}, durations }];
    },
  },
  single(
    "snapshots_failed_total",
    "counter",
    "Snapshots that could not be made when their time had come.",
    (_, state) => state?.synthesis.failed,
  ),
  {
    name: "snapshot_pointers_total",
    kind: "counter",
    help: "Pointers that snapshots were made of: to blocks of the journal, and into earlier snapshots.",
    labels: ["to"],
    read: ({ store }) => {
      const synthesis = store?.state?.synthesis;
      return byLabel("to", { journal: synthesis?.pointersToJournal, snapshot: synthesis?.pointersToSnapshots });
    },
  },
  counted("scrub_checked_bytes_total", "Bytes that scrubs have read and checked.", (one) => one.scrubCheckedBytes),
  counted("scrub_repairs_total", "What scrubs have repaired.", (one) => one.scrubRepairs),
  single("scrub_last_timestamp_seconds", "gauge", "When the last scrub of everything has ended.", (_, state) =>
    seconds(state?.scrub.lastEndedMs),
  ),
  counted(
    "collect_freed_bytes_total",
    "Bytes that collections have given back to the disk.",
    (one) => one.collectFreedBytes,
  ),
  single("collect_last_timestamp_seconds", "gauge", "When the last collection was.", (_, state) =>
    seconds(state?.collection.lastMs),
  ),
  {
    name: "fingerprints_total",
    kind: "counter",
    help: "Blocks that were fingerprinted to find those that the store has already. Only the remote appliance does that.",
    labels: ["role"],
    read: ({ store }) => known({ role: "remote" }, store?.state?.counts?.fingerprints),
  },
  {
    name: "payload_bytes_moved_total",
    kind: "counter",
    help:
      "Payload that was read in one place and written to another in the background: copied of sources (copy), sealed into the " +
      "store (seal), written anew by collections (collect). Snapshots move none.",
    labels: ["why"],
    read: (snapshot) => byLabel("why", movedBytes(snapshot)),
  },
];

const lastMetrics: readonly Metric[] = [
  {
    name: "job_last_success",
    kind: "gauge",
    help: "Of the last long work of each kind: 1 where it was done and has found nothing that a person must see, otherwise 0.",
    labels: ["kind"],
    read: ({ jobs }) => jobs.map(({ kind, isGood }) => ({ labels: { kind }, value: isGood ? 1 : 0 })),
  },
  {
    name: "job_last_timestamp_seconds",
    kind: "gauge",
    help: "When the last long work of each kind has ended.",
    labels: ["kind"],
    read: ({ jobs }) => jobs.map(({ kind, endedMs }) => ({ labels: { kind }, value: endedMs / 1000 })),
  },
  {
    name: "drill_last_success",
    kind: "gauge",
    help: "Of the last recovery test of each volume: 1 where its point was proven, 0 where it has failed.",
    labels: ["volume", "group"],
    read: ({ drills }) =>
      drills.map(({ volume, group, isProven }) => ({ labels: { volume, group }, value: isProven ? 1 : 0 })),
  },
  {
    name: "drill_last_timestamp_seconds",
    kind: "gauge",
    help: "When the last recovery test of each volume has ended.",
    labels: ["volume", "group"],
    read: ({ drills }) =>
      drills.map(({ volume, group, endedMs }) => ({ labels: { volume, group }, value: endedMs / 1000 })),
  },
];

export const storeMetrics: readonly Metric[] = [...sizeMetrics, ...workMetrics, ...lastMetrics];
