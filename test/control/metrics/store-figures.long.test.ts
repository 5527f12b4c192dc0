/** What a program tells of its store, after all that is done to one: each figure is one that something has counted. */
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { allMetrics } from "#src/control/metrics/all-metrics.ts";
import { RunningProgram } from "#test/cli/running-program.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { patience } from "#test/patience.ts";

needPrograms("setpriv");

const blockCount = 64;
const blockBytes = 4096;

/** By the name and labels of each series, as they are written. */
async function scraped({ api }: RunningProgram): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${api}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith("tidemark_"));
  return new Map(
    lines.map((line) => [line.slice(9, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

test("sealing, snapshots, scrubs, collections and drills are counted where they are done, and told", async () => {
  const folder = temporaryFolder();
  const up = await RunningProgram.start("up", join(folder, "data"), "--set", "store.sealAfterSeconds=1");
  const source = join(folder, "disk");
  const volume = (await up.asked("volume", "add", "disk", "--source", source, "--size", "1M")) as VolumeReport;
  const host = await openVolume(volume.uris[0] as string);
  // Half of the blocks have the content of another one.
  for (let at = 0; at < blockCount; at++) await host.write(at * blockBytes, Buffer.alloc(blockBytes, 1 + (at % 32)));
  await host.flush();
  await vi.waitFor(
    async () => expect((await scraped(up)).get('fingerprints_total{role="remote"}')).toBe(blockCount),
    patience,
  );
  await up.asked("snapshot", "create", "disk");
  const drill = (command: string) => up.typed("drill", "disk", "--api", up.api, "--", command);
  expect(await drill("true")).toMatchObject({ exitCode: 0 });
  expect(await drill("false")).toMatchObject({ exitCode: 1 });
  await up.asked("scrub");
  await up.asked("collect");
  await vi.waitFor(async () => {
    const told = await scraped(up);
    expect(told.get("store_unique_bytes")).toBe(32 * blockBytes);
    expect(told.get("store_logical_bytes")).toBe(blockCount * blockBytes);
    expect(told.get("scrub_checked_bytes_total")).toBeGreaterThan(0);
    expect(told.get("collect_last_timestamp_seconds")).toBeGreaterThan(0);
  }, patience);
  const told = await scraped(up);
  expect(told.get("store_physical_bytes")).toBeGreaterThan(0);
  expect(told.get("store_free_bytes")).toBeGreaterThan(0);
  expect(told.get("snapshot_synthesis_seconds_count")).toBeGreaterThan(0);
  expect(told.get('snapshot_pointers_total{to="journal"}')).toBeGreaterThanOrEqual(blockCount);
  expect(told.get('payload_bytes_moved_total{why="seal"}')).toBe(blockCount * blockBytes);
  expect(told.get('write_amplification{role="remote"}')).toBeGreaterThan(1);
  expect(told.get('protection_window_seconds{group="disk"}')).toBeGreaterThanOrEqual(0);
  expect(told.get('points_oldest_timestamp_seconds{group="disk"}')).toBeGreaterThan(1_600_000_000);
  expect(told.get('job_last_success{kind="scrub"}')).toBe(1);
  expect(told.get('drill_last_success{volume="disk",group="disk"}')).toBe(0);
  const errors = [...told].filter(([series]) => series.startsWith("checksum_errors_total"));
  expect(errors.map(([, value]) => value)).toEqual([0, 0, 0]);

  // Nothing of what is defined is left out, but what such a program has none of.
  const names = new Set(
    [...told.keys()].map((series) => series.replace(/\{.*/, "").replace(/_(bucket|sum|count)$/, "")),
  );
  const absent = allMetrics.map(({ name }) => name).filter((name) => !names.has(name));
  expect(absent).toEqual([
    "certificate_end_timestamp_seconds",
    "copy_left_bytes",
    "mode_switches_total",
    "history_room_seconds",
    "history_room_measured",
  ]);
  await host.disconnect();
});
