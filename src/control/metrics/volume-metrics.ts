/** What the interceptor tells of its volumes. */

import type { VolumeMeasures } from "./measures.ts";
import type { DurationMetric, LabelValues, Metric, NumberMetric } from "./metric.ts";
import { known, oneOf } from "./metric.ts";
import type { MeasuredVolume } from "./metrics-snapshot.ts";

const labels = ["volume", "group"] as const;

const volumeStates = [
  ...["open", "opening", "redoing", "stalled", "tracking", "full", "fenced", "stopped", "failed"],
] as const satisfies readonly MeasuredVolume["state"][];

function labelsOf({ name, group }: MeasuredVolume): LabelValues {
  return { volume: name, group };
}

/** Of volumes that are open, from when they were opened. */
function counted(name: string, help: string, of: (volume: MeasuredVolume) => number): NumberMetric {
  return {
    ...{ name, help, labels, kind: "counter" },
    read: ({ volumes }) =>
      volumes.filter(({ measures }) => measures !== undefined).flatMap((one) => known(labelsOf(one), of(one))),
  };
}

/** The same, by what they are for. */
function countedBy(
  { name, help, label }: { readonly name: string; readonly help: string; readonly label: string },
  of: Readonly<Record<string, (measures: VolumeMeasures, volume: MeasuredVolume) => number>>,
): NumberMetric {
  return {
    ...{ name, help, labels: [...labels, label], kind: "counter" },
    read: ({ volumes }) =>
      volumes.flatMap((volume) => {
        const { measures } = volume;
        if (measures === undefined) return [];
        return Object.entries(of).map(([value, count]) => ({
          labels: { ...labelsOf(volume), [label]: value },
          value: count(measures, volume),
        }));
      }),
  };
}

function level(name: string, help: string, of: (volume: MeasuredVolume) => number | undefined): NumberMetric {
  return {
    ...{ name, help, labels, kind: "gauge" },
    read: ({ volumes }) => volumes.flatMap((volume) => known(labelsOf(volume), of(volume))),
  };
}

function durations(name: string, help: string, of: "writeDurations" | "flushDurations"): DurationMetric {
  return {
    ...{ name, help, labels, kind: "histogram" },
    read: ({ volumes }) =>
      volumes.flatMap((volume) =>
        volume.measures === undefined ? [] : [{ labels: labelsOf(volume), durations: volume.measures[of] }],
      ),
  };
}

export const volumeMetrics: readonly Metric[] = [
  counted("writes_total", "Writes that hosts have asked for.", ({ writes }) => writes),
  counted("write_bytes_total", "Bytes of them.", ({ writeBytes }) => writeBytes),
  durations(
    "write_duration_seconds",
    "From the arrival of a write to its answer, of those that were done.",
    "writeDurations",
  ),
  counted("reads_total", "Reads that hosts have asked for.", ({ reads }) => reads),
  counted("read_bytes_total", "Bytes of them.", ({ readBytes }) => readBytes),
  durations(
    "flush_duration_seconds",
    "From the arrival of a FLUSH to its answer, of those that were done.",
    "flushDurations",
  ),
  countedBy(
    {
      name: "io_errors_total",
      help: "Requests of hosts that were answered with an error, of whatever cause; trims and zeroings are writes.",
      label: "op",
    },
    {
      read: ({ failedReads }) => failedReads,
      write: ({ failedWrites }) => failedWrites,
      flush: ({ failedFlushes }) => failedFlushes,
    },
  ),
  {
    name: "volume_state",
    kind: "gauge",
    help: "1 for the state that the volume is in. fenced: its writes fail until a person has looked; tracking: it is unprotected.",
    labels: [...labels, "state"],
    read: ({ volumes }) => volumes.flatMap((volume) => oneOf(labelsOf(volume), "state", volumeStates, volume.state)),
  },
  level(
    "host_wait_seconds",
    "So long nothing was done of what hosts wait for, of reads, writes or flushes; 0 where nobody waits, or it goes on.",
    ({ measures, hostWaitSeconds = 0 }) => (measures === undefined ? undefined : hostWaitSeconds),
  ),
  level("volume_size_bytes", "Size of the volume.", ({ sizeBytes }) => sizeBytes),
  level("nbd_connections", "Connections of hosts.", ({ connections }) => connections),
  level(
    "tracking_dirty_bytes",
    "Bytes of regions that are marked: what source and journal may differ in, and what would be copied after a loss.",
    ({ markedBytes, measures }) => (measures === undefined ? undefined : markedBytes),
  ),
  level(
    "copy_left_bytes",
    "What is left of the copy of the source into the journal; absent where none is under way.",
    ({ copy }) => (copy === undefined ? undefined : copy.bytesTotal - copy.bytesDone),
  ),
  countedBy(
    {
      name: "source_read_bytes_total",
      help: "Bytes read of the source: for hosts, to complete blocks written in part (edge), to copy it into the journal (copy).",
      label: "why",
    },
    {
      host: (_, { readBytes }) => readBytes,
      edge: ({ edgeBytes }) => edgeBytes,
      copy: ({ copyBytes }) => copyBytes,
    },
  ),
];
