/** What is scraped, judged by Prometheus itself: its linter, its rules, and a server of its own that looks on. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { MiB } from "#src/core/limits.ts";
import { RunningProgram } from "#test/cli/running-program.ts";
import { run } from "#test/clients/command.ts";
import { needPrograms, unixUri } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { Program } from "#test/oracle/program.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { patience } from "#test/patience.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { Prometheus, rulesFolder } from "./prometheus.ts";

needPrograms("setpriv", "nbdkit", "prometheus", "promtool");

const block = Buffer.alloc(4096, 7);

async function judged(action: readonly string[], file: string): Promise<string> {
  const { stdout, stderr } = await run("promtool", [...action, join(rulesFolder, file)]);
  return stdout + stderr;
}

/** What the linter of Prometheus has to say of our own names. */
async function linted(text: string): Promise<string[]> {
  const { stdout, stderr } = await run("promtool", ["check", "metrics"], { input: text });
  return (stdout + stderr).split("\n").filter((line) => line.includes("tidemark_") || line.startsWith("error"));
}

async function scraped({ api }: RunningProgram): Promise<string> {
  const response = await fetch(`${api}/metrics`);
  expect([response.status, response.headers.get("content-type")]).toEqual([
    200,
    expect.stringMatching(/^text\/plain; version=0\.0\.4/),
  ]);
  return response.text();
}

/** As Grafana would ask, with all that can be chosen. */
function dashboardQueries(): readonly string[] {
  const text = readFileSync(join(projectRoot, "deploy/grafana/tidemark.json"), "utf8");
  const { panels } = JSON.parse(text) as { panels: { targets?: { expr: string }[] }[] };
  const asked = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(asked.length).toBeGreaterThan(40);
  return asked.map((one) => one.replaceAll("$__rate_interval", "1m").replace(/\$(instance|group|volume)/g, ".+"));
}

/** Of the only sample of that name, or of the first with these labels. */
function sampleOf(text: string, series: string): number | undefined {
  const line = text.split("\n").find((one) => one.startsWith(series));
  return line === undefined ? undefined : Number(line.split(" ").at(-1));
}

test("faults 16 and 22: the rules are sound, and tell of each situation what is to be told of it, a lag among them", async () => {
  expect(await judged(["check", "config"], "prometheus.yml")).toMatch(/^((?!FAILED).)*SUCCESS((?!FAILED).)*$/s);
  expect(await judged(["test", "rules"], "tidemark.rules.test.yml")).toMatch(/^((?!FAILED).)*SUCCESS((?!FAILED).)*$/s);
});

test("a source that fails is told of within seconds, and not any more when it is mended", async () => {
  const folder = temporaryFolder();
  const failing = join(folder, "failing");
  const socket = join(folder, "nbdkit.sock");
  const errors = [
    "--filter=error",
    "memory",
    String(64 * MiB),
    "error=EIO",
    "error-rate=100%",
    `error-file=${failing}`,
  ];
  new Program("nbdkit", ["nbdkit", "--foreground", "--unix", socket, ...errors]);
  const up = await RunningProgram.start("up", join(folder, "data"));
  const added = await vi.waitFor(
    async () => (await up.asked("volume", "add", "disk", "--source", unixUri(socket))) as VolumeReport,
    patience,
  );
  const prometheus = await Prometheus.start(folder, [up.api]);
  const host = await openVolume(added.uris[0] as string);
  for (let at = 0; at < 100; at++) await host.write(at * block.length, block);
  await host.flush();
  expect(await prometheus.until('tidemark_writes_total{volume="disk"} == 100')).toMatchObject([
    { metric: { group: "disk" } },
  ]);
  await prometheus.until(
    'tidemark_write_duration_seconds_count{volume="disk"} == 100 and tidemark_flush_duration_seconds_count == 1',
  );
  await prometheus.until("tidemark_lag_records == 0 and on (group) tidemark_journal_records_total > 100");
  await vi.waitFor(async () => expect(await prometheus.firing()).toEqual([]), patience);
  for (const expression of dashboardQueries()) {
    expect([expression, await prometheus.refusal(expression)]).toEqual([expression, undefined]);
  }

  writeFileSync(failing, "");
  await expect(host.write(0, block)).rejects.toThrow();
  await expect(host.write(0, block)).rejects.toThrow();
  expect(await prometheus.untilFiring("TidemarkVolumeFenced")).toMatchObject([
    { metric: { volume: "disk", state: "fenced" } },
  ]);
  await prometheus.untilFiring("TidemarkHostErrors");
  await prometheus.until('tidemark_io_errors_total{op="write"} == 2');
  await prometheus.until("tidemark_ready == 0");

  rmSync(failing);
  await up.asked("volume", "unfence", "disk");
  await prometheus.untilCleared("TidemarkVolumeFenced");
  await host.write(0, block);
  await prometheus.until(
    'tidemark_writes_total{volume="disk"} == 103 and on (volume) tidemark_volume_state{state="open"} == 1',
  );
  expect(await linted(await scraped(up))).toEqual([]);
  await host.disconnect();
});

test("each role has metrics of its own; while the link is down the lag grows, and that is told of until it is back", async () => {
  const folder = temporaryFolder();
  const wire = join(folder, "wire.sock");
  const common = ["--set", `wire.tokenFile=${join(folder, "remote/wire.token")}`];
  const startRemote = () => RunningProgram.start("remote", join(folder, "remote"), "--set", `wire.socket=${wire}`);
  const remote = await startRemote();
  const local = await RunningProgram.start("local", join(folder, "site"), "--set", `remote.address=${wire}`, ...common);
  const hosts = await RunningProgram.start("interceptor", join(folder, "site"), ...common);
  const added = (await hosts.asked(
    "volume",
    "add",
    "disk",
    "--source",
    join(folder, "disk"),
    "--size",
    "8M",
  )) as VolumeReport;
  const host = await openVolume(added.uris[0] as string);
  const prometheus = await Prometheus.start(folder, [local.api, hosts.api]);
  await host.write(0, block);
  await prometheus.until("tidemark_link_up == 1 and on (group) tidemark_lag_records == 0");
  expect(sampleOf(await scraped(remote), 'tidemark_journal_records_total{group="disk"}')).toBeGreaterThan(0);
  expect(sampleOf(await scraped(remote), 'tidemark_role_up{role="remote"}')).toBe(1);
  expect(sampleOf(await scraped(remote), "tidemark_writes_total")).toBeUndefined();
  expect(sampleOf(await scraped(hosts), "tidemark_lag_seconds")).toBeUndefined();
  expect(sampleOf(await scraped(local), "tidemark_link_up")).toBe(1);

  await remote.program.kill();
  await host.write(0, block);
  await prometheus.untilFiring("TidemarkLinkDown");
  const [before] = await prometheus.until("tidemark_lag_seconds > 0");
  const [later] = await prometheus.until(`tidemark_lag_seconds > ${(before?.value ?? 0) + 2}`);
  expect(later?.metric.group).toBe("disk");
  expect((await prometheus.query("tidemark_lag_records"))[0]?.value).toBeGreaterThan(0);

  await startRemote();
  await prometheus.untilCleared("TidemarkLinkDown");
  await prometheus.until("tidemark_lag_seconds == 0 and on (group) tidemark_link_up == 1");
  await host.disconnect();
});
