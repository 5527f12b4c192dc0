import { describe, expect, test } from "vitest";
import { allMetrics } from "#src/control/metrics/all-metrics.ts";
import type { Metric } from "#src/control/metrics/metric.ts";
import type { MetricsSnapshot } from "#src/control/metrics/metrics-snapshot.ts";
import { measuredProgram, measuredVolume } from "./measured-program.ts";

/** What others build dashboards and alerts on. More may come; none of these goes or is called otherwise. */
const promised = [
  ...["writes_total", "write_bytes_total", "write_duration_seconds", "reads_total", "read_bytes_total"],
  ...["flush_duration_seconds", "mode", "mode_switches_total", "link_up", "lag_records", "lag_bytes", "lag_seconds"],
  ...["durable_timestamp_seconds", "spool_bytes", "spool_limit_bytes", "tracking_dirty_bytes"],
  ...["aggregate_folded_bytes_total", "points_oldest_timestamp_seconds", "protection_window_seconds"],
  ...["journal_records_total", "store_logical_bytes", "store_unique_bytes", "store_physical_bytes"],
  ...["snapshot_synthesis_seconds", "snapshot_pointers_total", "source_read_bytes_total", "wire_bytes_total"],
  ...["wire_frames_total", "payload_bytes_moved_total", "fingerprints_total", "write_amplification"],
  ...["checksum_errors_total", "scrub_checked_bytes_total", "collect_freed_bytes_total", "nbd_connections"],
];

const promisedLabels: Readonly<Record<string, readonly string[]>> = {
  mode: ["mode"],
  mode_switches_total: ["from", "to", "why"],
  snapshot_pointers_total: ["to"],
  source_read_bytes_total: ["why"],
  payload_bytes_moved_total: ["why"],
  fingerprints_total: ["role"],
  checksum_errors_total: ["where"],
};

function metric(name: string): Metric {
  const found = allMetrics.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no metric ${name}`);
  return found;
}

/** By its labels, in one line each. */
function valuesOf(name: string, snapshot: MetricsSnapshot): Record<string, number> {
  const { kind, read } = metric(name);
  if (kind === "histogram") throw new Error(`${name} has no single values`);
  return Object.fromEntries(read(snapshot).map(({ labels, value }) => [Object.values(labels).join(" "), value]));
}

describe("the definitions", () => {
  test("have all the names and labels that are promised", () => {
    const names = allMetrics.map(({ name }) => name);
    expect(promised.filter((name) => !names.includes(name))).toEqual([]);
    for (const [name, labels] of Object.entries(promisedLabels))
      expect(metric(name).labels).toEqual(expect.arrayContaining([...labels]));
  });

  test("name each metric once, what only grows as such, and say what it is in a sentence", () => {
    const names = allMetrics.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, kind, help } of allMetrics) {
      expect([name, /^[a-z][a-z_]*$/.test(name), name.endsWith("_total")]).toEqual([name, true, kind === "counter"]);
      expect(help).toMatch(/^[A-Z1].*\.$/s);
    }
  });

  test("have samples with just the labels that they say, all of them of a program that has everything", () => {
    for (const one of allMetrics) {
      const samples: readonly { readonly labels: object }[] = one.read(measuredProgram);
      expect([one.name, samples.length > 0]).toEqual([one.name, true]);
      for (const { labels } of samples) expect([one.name, Object.keys(labels)]).toEqual([one.name, [...one.labels]]);
      const series = samples.map(({ labels }) => JSON.stringify(labels));
      expect([one.name, new Set(series).size]).toEqual([one.name, series.length]);
    }
  });
});

describe("what is not known is absent", () => {
  const nothing: MetricsSnapshot = {
    ...measuredProgram,
    ...{ volumes: [], groups: [], remoteGroups: [], store: undefined, drills: [], jobs: [], certificates: [] },
  };

  test("of a program that knows nothing only what it is is told", () => {
    const told = allMetrics.filter((one) => one.read(nothing).length > 0).map(({ name }) => name);
    expect(told).toEqual(["build_info", "role_up", "ready", "problems"]);
  });

  test("a group whose spool is lost has no lag, and is stopped", () => {
    const [group] = measuredProgram.groups;
    const { modeSwitches: _, durableMicros: __, wireFrames: ___, ...lost } = group as NonNullable<typeof group>;
    const snapshot: MetricsSnapshot = {
      ...nothing,
      groups: [{ ...lost, state: "stopped", lagRecords: 0, lagSeconds: 0 }],
    };
    for (const name of ["lag_records", "lag_seconds", "spool_bytes", "durable_timestamp_seconds", "wire_bytes_total"]) {
      expect([name, valuesOf(name, snapshot)]).toEqual([name, {}]);
    }
    expect(valuesOf("group_state", snapshot)).toMatchObject({ "g local stopped": 1, "g local steady": 0 });
  });

  test("a volume that is not open has a state, and no figures", () => {
    const { measures: _, ...closed } = measuredVolume;
    const snapshot: MetricsSnapshot = { ...nothing, volumes: [{ ...closed, state: "failed" }] };
    expect(valuesOf("volume_state", snapshot)).toMatchObject({ "v g failed": 1, "v g open": 0 });
    for (const name of ["writes_total", "io_errors_total", "source_read_bytes_total", "tracking_dirty_bytes"]) {
      expect([name, valuesOf(name, snapshot)]).toEqual([name, {}]);
    }
  });

  test("a store that nobody has counted has no sizes, and no reach", () => {
    const { state: _, ...uncounted } = measuredProgram.store as NonNullable<typeof measuredProgram.store>;
    const snapshot: MetricsSnapshot = { ...measuredProgram, store: { ...uncounted, trouble: "no disk" } };
    for (const name of ["store_physical_bytes", "store_findings", "protection_window_seconds", "fingerprints_total"]) {
      expect([name, valuesOf(name, snapshot)]).toEqual([name, {}]);
    }
    expect(valuesOf("store_up", snapshot)).toEqual({ "": 0 });
  });
});

describe("what is told", () => {
  test("a fenced volume is not 0 errors", () => {
    const volumes = [{ ...measuredVolume, state: "fenced" as const }];
    const snapshot: MetricsSnapshot = { ...measuredProgram, volumes };
    expect(valuesOf("volume_state", snapshot)).toMatchObject({ "v g fenced": 1, "v g open": 0 });
    expect(valuesOf("io_errors_total", snapshot)).toEqual({ "v g read": 1, "v g write": 2, "v g flush": 3 });
  });

  test("reads of the source are told apart by why", () => {
    expect(valuesOf("source_read_bytes_total", measuredProgram)).toEqual({
      ...{ "v g host": 8192, "v g edge": 512, "v g copy": 4096 },
    });
  });

  test("checksum errors are told apart by where they were met, and none counts twice", () => {
    expect(valuesOf("checksum_errors_total", measuredProgram)).toEqual({ wire: 2, journal: 2, store: 2 });
  });

  test("the window reaches from the oldest record that is kept to the newest one", () => {
    expect(valuesOf("points_oldest_timestamp_seconds", measuredProgram)).toEqual({ g: 2 });
    expect(valuesOf("protection_window_seconds", measuredProgram)).toEqual({ g: 3 });
    expect(valuesOf("history_room_measured", measuredProgram)).toEqual({ g: 0 });
    const [group] = measuredProgram.remoteGroups;
    const unknown = { ...(group as NonNullable<typeof group>), timeMicros: 0 };
    expect(valuesOf("protection_window_seconds", { ...measuredProgram, remoteGroups: [unknown] })).toEqual({});
  });

  test("what is written for a byte that lands counts all that reaches the disks", () => {
    expect(valuesOf("write_amplification", measuredProgram)).toEqual({
      remote: (40_960 + 20_480 + 16_384 + 4096) / 40_960,
    });
    const [group] = measuredProgram.remoteGroups;
    const idle = { ...(group as NonNullable<typeof group>), landedBytes: 0 };
    expect(valuesOf("write_amplification", { ...measuredProgram, remoteGroups: [idle] })).toEqual({});
  });
});
