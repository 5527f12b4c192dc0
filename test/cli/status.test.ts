/** The status of roles that run by themselves, when one of them is missing. */

import { join } from "node:path";
import { expect, test } from "vitest";
import { groupTable, remoteTable, storeText } from "#src/cli/status.ts";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { GroupReport } from "#src/control/readiness.ts";
import { noSynthesis } from "#src/control/snapshot-lane.ts";
import { group } from "#test/control/http/scripted-side.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { Program } from "#test/oracle/program.ts";
import { whenSeen } from "#test/patience.ts";
import { launcher, RunningProgram } from "./running-program.ts";

async function firstLine(program: RunningProgram): Promise<string> {
  return (await program.typed("status")).stdout.split("\n", 1)[0] as string;
}

test("watched, it goes on when the program is started anew", async () => {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  const up = await RunningProgram.start("up", data);
  const line = [process.execPath, launcher, "status", "--watch", "--json", "--api", up.api] as const;
  const watching = new Program("status", line);
  await watching.line((text) => text.includes('"ready":true'));
  await up.program.stop();
  await whenSeen(() => expect(watching.stderr).toContain("nothing listens there"));
  const { length } = watching.lines;
  await RunningProgram.start("up", data, "--set", `http.port=${new URL(up.api).port}`);
  await whenSeen(() => expect(watching.lines.length).toBeGreaterThan(length));
  process.kill(watching.processId, "SIGINT");
  expect(await watching.ended).toMatchObject({ code: 0 });
});

test("says what is missing: ready while writes are taken, and not ready when they are not", async () => {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  const socket = join(folder, "wire.sock");
  const startRemote = () =>
    RunningProgram.start("remote", data, "--set", "wire.port=off", "--set", `wire.socket=${socket}`);
  const remote = await startRemote();
  const local = await RunningProgram.start("local", data, "--set", `remote.address=${socket}`);
  const interceptor = await RunningProgram.start("interceptor", data);
  const line = ["volume", "add", "disk", "--source", join(folder, "disk.img"), "--size", "1M"];
  expect((await interceptor.typed("mode", "disk", "sync")).stderr).toContain("name its API, with --api URL");
  expect((await local.typed(...line)).stderr).toContain("name its API, with --api URL");
  expect((await interceptor.typed(...line, "--mode", "sync")).stderr).toContain("then 'tidemark mode disk sync' with");
  expect((await interceptor.asked(...line)) as VolumeReport).toMatchObject({ state: "open" });
  await whenSeen(async () => expect(await firstLine(local)).toMatch(/\(local\): ready$/));
  expect(await firstLine(interceptor)).toMatch(/\(interceptor\): ready$/);

  await remote.program.stop();
  await whenSeen(async () => {
    expect(await firstLine(local)).toMatch(/\(local\): ready, but group disk has no link to the remote appliance: ./);
  });
  expect((await local.got("/readyz")).status).toBe(200);
  // Whoever marks a moment is to be able to open it, and hears that he is not yet.
  const { exitCode, stdout, stderr } = await local.typed("mark", "disk", "--name", "late");
  expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^late in disk, at seq \d+, /)]);
  const onItsWay =
    /^tidemark: mark:late is on its way to the remote appliance, and the link is down \(.+\): it is there when .*\n$/;
  expect(stderr).toMatch(onItsWay);

  await local.program.kill();
  await whenSeen(async () => {
    expect(await firstLine(interceptor)).toMatch(
      /\(interceptor\): not ready: volume disk waits: the local appliance is not there .* 'tidemark local' starts it$/,
    );
  });
  expect((await interceptor.got("/readyz")).status).toBe(503);
});

test("a level is told with its volume, and with its group too where another group has a volume of the name", () => {
  const levelled = (name: string, volumeNames: readonly string[]) => ({
    ...{ ...group, name, volumeNames },
    levels: volumeNames.map((volume) => ({ volume, seconds: 60 })),
  });
  const lines = (groups: readonly GroupReport[]) =>
    groupTable(groups)
      .split("\n")
      .slice(1 + groups.length, -1);
  expect(lines([levelled("bank", ["disk", "log"])])).toEqual([
    "disk: its points are 1m from each other",
    "log: its points are 1m from each other",
  ]);
  expect(lines([levelled("bank", ["disk", "log"]), levelled("shop", ["disk"])])).toEqual([
    "bank/disk: its points are 1m from each other",
    "log: its points are 1m from each other",
    "shop/disk: its points are 1m from each other",
  ]);
});

test("where a local appliance runs alone the volumes are named that no interceptor has", () => {
  const told = (missingVolumes: readonly string[], more: Partial<GroupReport> = {}) =>
    groupTable([{ ...group, name: "bank", volumeNames: [...missingVolumes, "there"], missingVolumes, ...more }])
      .split("\n")
      .slice(2, -1);
  const advice = "'tidemark interceptor' on the machine of the source does, and one that is lost is let go of by";
  expect(told(["disk", "log"])).toEqual([
    `bank: no interceptor has disk, log now; ${advice} 'tidemark group forget bank VOLUME'`,
  ]);
  const many = Array.from({ length: 10 }, (_, index) => `v${index}`);
  expect(told(many)[0]).toContain("no interceptor has v0, v1, v2, v3, v4, v5, v6, v7, 2 more now; ");
  // Where interceptors run the volumes are listed, each with why it is not there.
  expect([told([]), told(["disk"], { volumes: 2 })]).toEqual([[], []]);
});

test("what the store has is told, and what was sealed lately", () => {
  const nothing = { segmentCount: 0, logicalBytes: 0, uniqueBytes: 0, physicalBytes: 0, damagedBlocks: 0 };
  expect(storeText({ segmentCount: 7, sealed: nothing, jobTroubles: [] })).toBe("the store has 7 sealed segments\n");
  const MiB = 2 ** 20;
  const sealed = { segmentCount: 1, logicalBytes: 9 * MiB, uniqueBytes: 2 * MiB, physicalBytes: MiB, damagedBlocks: 3 };
  expect(storeText({ segmentCount: 8, sealed, jobTroubles: [] })).toBe(
    "the store has 8 sealed segments\nsince the start 9.0 MiB were sealed, 3 blocks of it damaged, 2.0 MiB of them new, in 1.0 MiB\n",
  );
  const sizes = {
    segmentCount: 8,
    logicalBytes: 3 * 2 ** 30,
    uniqueBytes: 2 ** 30,
    physicalBytes: 2 ** 29,
    damagedBlocks: 0,
  };
  const scrub = { lastEndedMs: Date.UTC(2031, 4, 17), isUnderWay: true, findings: 1, damagedBlocks: 3 };
  const collection = { lastMs: Date.UTC(2031, 4, 18), freedBytes: 2 ** 20, isUnderWay: false };
  const costs = [
    { level: 0, fromAgeSeconds: 0, bytesPerDay: 3 * 2 ** 30, isMeasured: true },
    { level: 60, fromAgeSeconds: 86_400, bytesPerDay: 2 ** 28, isMeasured: true },
    { level: 3600, fromAgeSeconds: 604_800, bytesPerDay: 2 ** 28, isMeasured: false },
  ];
  const forecast = { spanSeconds: 864_000, roomSeconds: 8_640_000, isShort: true, isAtLeast: true, costs };
  const windows = [
    { group: "a1", fromSeq: 0 },
    { group: "b2", fromSeq: 77, forecast },
  ];
  const synthesis = { ...noSynthesis, made: 12, lastSeconds: 0.125, writtenBytes: 3 * 2 ** 20 };
  const state = { sizes, sizesMs: Date.UTC(2031, 4, 19), windows, synthesis, scrub, collection };
  expect(storeText({ segmentCount: 1, sealed: nothing, jobTroubles: [], state })).toBe(
    "the store has 1 sealed segment; counted 2031-05-19T00:00:00Z: 8 segments, 3.0 GiB of blocks, 1.0 GiB of them different, in 512 MiB\n" +
      "of group b2 the history begins with record 77\n" +
      "it reaches 10d back, and with what is written now its room is enough for 100d at least, " +
      "less than store.retention.keepSeconds wants (a day of every write takes 3.0 GiB, of one point in 1m takes 256 MiB)\n" +
      "12 snapshots made since its process began, the last one in 0.13 s, 3.0 MiB in all\n" +
      "checked 2031-05-17T00:00:00Z (a round is under way), 1 finding: 'tidemark scrub' tells more\n" +
      "collected 2031-05-18T00:00:00Z, 1.0 MiB freed by that\n",
  );
});

test("groups of one name at the remote are told apart, with how far back each reaches", () => {
  const group = { epoch: 1, received: 1, durable: 1, stored: 1, state: "open", journalBytes: 0 } as const;
  const facts = {
    ...group,
    timeMicros: 0,
    segmentCount: 1,
    unsealedBytes: 0,
    aggregateCount: 0,
    aggregateFoldedBytes: 0,
  };
  const one = (id: string, name: string) => ({ ...facts, id, name, volumes: [], checksumErrors: 0 });
  const groups = [one("a1", "disk"), { ...one("b2", "other"), timeMicros: 7_200e6 }, one("c3", "disk")];
  const shown = remoteTable(groups, [{ group: "b2", fromSeq: 1, oldestMicros: 0 }]);
  expect(shown.split("\n").map((line) => line.split("  ")[0])).toEqual([
    "AT THE REMOTE",
    "disk (a1)",
    "other",
    "disk (c3)",
    "",
  ]);
  // How far back it reaches, where that is known.
  expect(shown.split("\n").map((line) => line.includes(" 120m "))).toEqual([false, false, true, false, false]);
});

test("a group without volumes is shown as such, with what it has", async () => {
  const folder = temporaryFolder();
  const up = await RunningProgram.start("up", join(folder, "data"));
  await up.asked("volume", "add", "disk", "--source", join(folder, "disk.img"), "--size", "1M");
  expect((await up.status()).groups).toMatchObject([{ name: "disk", volumes: 1 }]);
  expect((await up.typed("status")).stdout).not.toContain("no volumes");
  await up.asked("volume", "rm", "disk", "--confirm", "disk");
  expect((await up.status()).groups).toMatchObject([{ name: "disk", volumes: 0 }]);
  expect((await up.typed("status")).stdout).toContain(
    "disk: has no volumes any more; what it journaled is kept; 'tidemark group rm disk' ends it\n",
  );
});
