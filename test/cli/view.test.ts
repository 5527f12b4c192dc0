/** Views as operators open them, over processes as they are, read and written by other programs' clients. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { JobReport } from "#src/control/job.ts";
import type { ViewFacts } from "#src/control/view.ts";
import { noWayGiven } from "#src/host/node/process.ts";
import { run, succeed } from "#test/clients/command.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { Program } from "#test/oracle/program.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { launcher, RunningProgram } from "./running-program.ts";
import { typedInTurn } from "./typed-in-turn.ts";

needPrograms("nbdinfo", "nbdcopy", "qemu-io", "strace");

const MiB = 2 ** 20;

async function protectedDisk(folder: string, ...settings: readonly string[]) {
  const more = settings.flatMap((setting) => ["--set", setting]);
  const up = await RunningProgram.start("up", join(folder, "data"), ...more);
  const add = ["volume", "add", "disk", "--source", join(folder, "disk.img"), "--size", "16M"];
  const { uris } = (await up.asked(...add)) as VolumeReport;
  const host = await openVolume(uris[0] as string);
  const write = async (offset: number, value: number, lengthBytes = 64 * 1024) => {
    await host.write(offset, Buffer.alloc(lengthBytes, value));
    await host.flush();
    await up.whenAllArrived();
  };
  return { up, host, write };
}

async function open(up: RunningProgram, ...line: readonly string[]): Promise<ViewFacts> {
  return (await up.asked("view", "open", ...line)) as ViewFacts;
}

/** A child of the program, which itself may be one of its launcher. */
async function processOfViews(program: number): Promise<number> {
  const children = async (parent: number, ...more: readonly string[]) => {
    const { stdout } = await run("pgrep", ["-P", String(parent), ...more]);
    return stdout.split("\n").filter(Boolean).map(Number);
  };
  for (const parent of [program, ...(await children(program))]) {
    const [found] = await children(parent, "-f", noWayGiven);
    if (found !== undefined) return found;
  }
  throw new Error("no process serves views");
}

async function copied(uri: string, path: string): Promise<Buffer> {
  await succeed("nbdcopy", [uri, path]);
  return readFileSync(path);
}

test("each point is a view of its own, open beside the others, whatever is written and sealed meanwhile", async () => {
  const folder = temporaryFolder();
  const { up, host, write } = await protectedDisk(folder, "store.sealAfterSeconds=1");
  const expected: Buffer[] = [];
  const views: ViewFacts[] = [];
  for (let step = 1; step <= 3; step++) {
    await write(step * MiB, step);
    await write(0, 10 + step, 4096);
    views.push(await open(up, "disk@now"));
    expected.push(readFileSync(join(folder, "disk.img")));
  }
  await host.trim(1 * MiB, 64 * 1024);
  await write(0, 99, 4096);
  for (let round = 0; round < 2; round++) {
    for (const [index, view] of views.entries()) {
      const content = await copied(view.uri, join(folder, `copy-${round}-${index}`));
      expect(content.equals(expected[index] as Buffer)).toBe(true);
    }
    await whenSeen(async () => {
      const [group] = (await up.status()).remoteGroups;
      expect(group?.stored).toBe(group?.durable);
    });
  }
  const map = JSON.parse((await succeed("nbdinfo", ["--map", "--json", views[0]?.uri as string])).stdout) as unknown;
  expect(map).toEqual([
    { offset: 0, length: 4096, type: 0, description: "data" },
    { offset: 4096, length: MiB - 4096, type: 3, description: "hole,zero" },
    { offset: MiB, length: 65_536, type: 0, description: "data" },
    { offset: MiB + 65_536, length: 15 * MiB - 65_536, type: 3, description: "hole,zero" },
  ]);
  const refused = await up.typed("view", "open", "disk@seq:999999");
  expect([refused.exitCode, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/nearest points are before it seq:\d+/),
  ]);
  await host.disconnect();
});

test("what is written to a view is there after the process was killed, and after a restart, and the point is as it was", async () => {
  const folder = temporaryFolder();
  const { up, host, write } = await protectedDisk(folder);
  await write(0, 1);
  const view = await open(up, "disk@now", "--writable", "--name", "mine");
  await succeed("qemu-io", ["-f", "raw", "-c", "write -P 7 1000 5000", "-c", "flush", view.uri]);
  const expected = readFileSync(join(folder, "disk.img"));
  expect(expected[0]).toBe(1);
  expected.fill(7, 1000, 6000);
  expect((await copied(view.uri, join(folder, "written"))).equals(expected)).toBe(true);
  await host.disconnect();
  await up.program.kill();
  const again = await RunningProgram.start("up", join(folder, "data"));
  await whenSeen(async () => {
    const { views } = (await again.asked("view", "ls")) as { readonly views: readonly ViewFacts[] };
    expect(views).toMatchObject([{ name: "mine", state: "open", writtenBytes: 2 * 4096 }]);
  });
  expect((await copied(view.uri, join(folder, "after"))).equals(expected)).toBe(true);
  const refused = await again.typed("view", "close", "mine");
  expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining("--discard")]);
  const point = await open(again, `disk@seq:${view.seq}`);
  expect((await copied(point.uri, join(folder, "point")))[1000]).toBe(1);
  expect((await again.typed("view", "close", "mine", "--keep")).exitCode).toBe(0);
  expect((await again.typed("view", "ls")).stdout).toMatch(/mine .* put away .* not known /);
  expect((await open(again, "mine")).uri).toBe(view.uri);
  expect((await copied(view.uri, join(folder, "kept"))).equals(expected)).toBe(true);
  const [segment = ""] = globSync(join(folder, "data/**/views/*/segments/*.data"));
  const content = readFileSync(segment);
  content[5000] = 8;
  writeFileSync(segment, content);
  expect((await run("nbdcopy", [view.uri, join(folder, "damaged")])).exitCode).toBe(1);
  const told = "open, damaged: block 1, as written to the view, cannot be read";
  expect((await again.typed("view", "ls")).stdout).toContain(told);
  expect((await again.typed("view", "close", "mine", "--discard")).exitCode).toBe(0);
});

/** From now on each sync of a file fails in this process, and in no other. */
async function failSyncs(processId: number): Promise<ChildProcess> {
  const inject = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO"];
  const tracer = spawn("strace", ["-f", "-o", "/dev/null", ...inject, "-p", String(processId)]);
  const [told] = await once(tracer.stderr, "data");
  expect(String(told)).toContain("attached");
  return tracer;
}

test("fault 13: a view whose last sync fails does not pass for put away, and promises nothing when it is opened again", async () => {
  const folder = temporaryFolder();
  const { up, host, write } = await protectedDisk(folder);
  await write(0, 1);
  const { uri } = await open(up, "disk@now", "--writable", "--name", "mine");
  const client = await openVolume(uri);
  await client.write(4096, Buffer.alloc(4096, 7));
  const tracer = await failSyncs(await processOfViews(up.program.processId));
  const closed = await up.typed("view", "close", "mine", "--keep");
  expect([closed.exitCode, closed.stderr]).toEqual([1, expect.stringContaining("need not be on the disk")]);
  const detached = once(tracer, "exit");
  tracer.kill("SIGINT");
  await detached;
  const why = expect.stringContaining("a sync of what was written to it has failed");
  const listed = async () => (await up.asked("view", "ls")) as { readonly views: readonly ViewFacts[] };
  expect((await listed()).views).toMatchObject([{ state: "put away", why }]);
  await open(up, "mine");
  expect((await listed()).views).toMatchObject([{ state: "open", why }]);
  const again = await openVolume(uri);
  await expect(again.flush()).rejects.toThrow("EIO");
  expect((await copied(uri, join(folder, "copy")))[4096]).toBe(7);
  await again.disconnect();
  await host.disconnect();
});

test("a crash of the process that serves views costs the remote appliance nothing, and views come back", async () => {
  const folder = temporaryFolder();
  const { up, host, write } = await protectedDisk(folder);
  await write(0, 1);
  const view = await open(up, "disk@now", "--writable");
  await succeed("qemu-io", ["-f", "raw", "-c", "write -P 7 4096 4096", view.uri]);
  process.kill(await processOfViews(up.program.processId), "SIGKILL");
  await write(8192, 3);
  await whenSeen(async () => {
    const { views } = (await up.asked("view", "ls")) as { readonly views: readonly ViewFacts[] };
    expect(views).toMatchObject([{ state: "open", writtenBytes: 4096 }]);
  });
  const content = await copied(view.uri, join(folder, "copy"));
  expect([content[0], content[4096], content[8192]]).toEqual([1, 7, 1]);
  expect(await open(up, "disk@now")).toMatchObject({ state: "open" });
  await host.disconnect();
});

test("a writable view becomes a volume of its own, which goes on where it was", async () => {
  const folder = temporaryFolder();
  const { up, host, write } = await protectedDisk(folder);
  await write(0, 1);
  await write(8 * MiB, 2);
  const view = await open(up, "disk@now", "--writable", "--name", "mine");
  await succeed("qemu-io", ["-f", "raw", "-c", "write -P 7 1M 64k", "-c", "discard 8M 64k", view.uri]);
  await write(0, 99);
  const expected = Buffer.alloc(16 * MiB);
  expected.fill(1, 0, 65_536).fill(7, MiB, MiB + 65_536);
  const source = join(folder, "promoted.img");
  const volume = (await up.asked("view", "promote", "mine", "second", "--source", source)) as VolumeReport;
  expect(volume).toMatchObject({ name: "second", source, state: "open", sizeBytes: 16 * MiB });
  expect(readFileSync(source).equals(expected)).toBe(true);
  expect((await copied(volume.uris[0] as string, join(folder, "copy"))).equals(expected)).toBe(true);
  expect((await up.typed("view", "ls")).stdout).toBe("no views\n");
  const ofView = { name: "mine", opened: view.opened };
  expect(await up.asked("view", "promote", "mine", "second", "--source", source)).toMatchObject({
    name: "second",
    source,
    ofView,
  });
  const third = join(folder, "third.img");
  const refusals = [
    ["mine", "third", third, "there is no view 'mine'"],
    ["mime", "second", source, `there is no view 'mime', and volume 'second' over ${source} was not made of one of`],
    ["mine", "disk", join(folder, "disk.img"), "there is no view 'mine', and volume 'disk' over"],
    ["mine", "second", third, `there is a volume 'second' already, over ${source}: name another one`],
    ["mine", "third", source, `${source} is volume 'second': name another file`],
  ] as const;
  const lines = refusals.map(([name, wanted, file]) => ["view", "promote", name, wanted, "--source", file]);
  const answers = await typedInTurn(lines.map((line) => [...line, "--api", up.api]));
  expect(answers.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(
    refusals.map(([, , , words]) => [1, expect.stringContaining(words)]),
  );
  await host.disconnect();
});

test("a copy of a view goes on after the program was killed, and the same command again makes the volume", async () => {
  const folder = temporaryFolder();
  const { up, host, write } = await protectedDisk(folder);
  await write(0, 1, 4 * MiB);
  const view = await open(up, "disk@now", "--writable", "--name", "mine");
  const client = await openVolume(view.uri);
  await client.write(MiB, Buffer.alloc(MiB, 7));
  await host.disconnect();
  const source = join(folder, "promoted.img");
  const line = ["view", "promote", "mine", "second", "--source", source];
  const inUse = await up.typed(...line);
  expect([inUse.exitCode, inUse.stderr]).toEqual([1, expect.stringContaining("detach it first")]);
  await client.disconnect();
  const promoting = new Program("promote", [process.execPath, launcher, ...line, "--api", up.api]);
  await whenSeen(async () => {
    const { jobs } = (await up.asked("job", "ls")) as { readonly jobs: readonly JobReport[] };
    expect(jobs).toMatchObject([{ restore: { view: "mine", target: source } }]);
  });
  await Promise.all([up.program.kill(), promoting.kill()]);
  const again = await RunningProgram.start("up", join(folder, "data"));
  const volume = (await again.asked(...line)) as VolumeReport;
  expect(volume).toMatchObject({ name: "second", source, state: "open", sizeBytes: 16 * MiB });
  const expected = Buffer.alloc(16 * MiB);
  expected.fill(1, 0, 4 * MiB).fill(7, MiB, 2 * MiB);
  expect(readFileSync(source).equals(expected)).toBe(true);
  expect((await again.typed("view", "ls")).stdout).toBe("no views\n");
});

test("what a view holds outlasts retention and collection, and goes with the next ones when it is closed", async () => {
  const folder = temporaryFolder();
  const { up, host, write } = await protectedDisk(
    folder,
    "store.sealAfterSeconds=1",
    "store.retention.keepSeconds=1",
    "store.collect.graceSeconds=0",
  );
  const stored = () =>
    whenSeen(async () => {
      const [group] = (await up.status()).remoteGroups;
      expect(group?.stored).toBe(group?.durable);
    });
  for (let step = 1; step <= 3; step++) {
    await write(0, step, MiB);
    await stored();
  }
  const view = await open(up, "disk@now");
  const expected = readFileSync(join(folder, "disk.img"));
  for (let step = 4; step <= 6; step++) {
    await write(0, step, MiB);
    await stored();
  }
  const beginning = async () => (await up.status()).store?.state?.windows?.[0]?.fromSeq ?? 0;
  // Time has to be seen to pass.
  await whenSeen(async () => {
    await up.asked("collect");
    expect(await beginning()).toBeGreaterThan(0);
  });
  expect(await beginning()).toBeLessThanOrEqual(view.seq);
  expect((await copied(view.uri, join(folder, "held"))).equals(expected)).toBe(true);
  await up.asked("view", "close", view.name);
  await write(0, 7, MiB);
  await stored();
  await whenSeen(async () => {
    await up.asked("collect");
    expect(await beginning()).toBeGreaterThan(view.seq);
  });
  expect((await up.typed("view", "open", `disk@seq:${view.seq}`)).stderr).toMatch(/nearest points are/);
  await host.disconnect();
});
