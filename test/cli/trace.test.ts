/** The life of single writes, as the command shows it. */
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { onceForFile } from "#test/once-for-file.ts";
import { Program } from "#test/oracle/program.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { patience } from "#test/patience.ts";
import { launcher, RunningProgram } from "./running-program.ts";

const shared = onceForFile(async (outlast) => {
  const folder = temporaryFolder(outlast);
  return { folder, up: await RunningProgram.startFor(outlast, "up", join(folder, "data")) };
});

async function openDisk(up: RunningProgram, folder: string, name = "disk") {
  const line = ["volume", "add", name, "--source", join(folder, `${name}.img`), "--size", "1M"];
  const { uris } = (await up.asked(...line)) as VolumeReport;
  return openVolume(uris[0] as string);
}

/** Resolves when writes are looked at: it begins before it says that it waits. */
async function tracing(up: RunningProgram, ...more: readonly string[]): Promise<Program> {
  const line = [launcher, "trace", "disk", "--seconds", "60", "--api", up.api, ...more] as const;
  const trace = new Program("trace", [process.execPath, ...line]);
  await expect.poll(() => trace.stderr, patience).toMatch(/^waiting for writes to disk, 60 s at most;/);
  return trace;
}

test("waits for writes, shows those that come, with all of their steps, and ends", async () => {
  const { up, folder } = await shared();
  const client = await openDisk(up, folder);
  await client.write(0, Buffer.alloc(4096, 1));
  const trace = await tracing(up, "--count", "2");
  for (const offset of [8192, 12288]) {
    await client.write(offset, Buffer.alloc(4096, 2));
    await client.flush();
  }
  expect(await trace.ended).toEqual({ code: 0, signal: null });
  const [title, first, second, ...more] = trace.lines;
  expect(title).toMatch(/^TIME .* AT .* ACKNOWLEDGED {2}IN SOURCE {2}REPLIED {2}RECEIVED {2}DURABLE {2}STORED$/);
  expect(first).toMatch(/ write +8192 +4\.0 KiB( +\d+){5}( +-)?$/);
  expect(second).toMatch(/ write +12288 +4\.0 KiB( +\d+){5}( +-)?$/);
  expect(more).toEqual([]);
});

test("says so when no write came", async () => {
  const { up, folder } = await shared();
  await openDisk(up, folder, "idle");
  expect(await up.typed("trace", "idle", "--seconds", "1")).toMatchObject({
    exitCode: 0,
    stdout: "no write to idle was seen\n",
  });
  expect(await up.asked("trace", "idle", "--seconds", "1")).toEqual({ entries: [] });
});

test("of an interceptor by itself shows the steps that it sees", async () => {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  await (await RunningProgram.start("remote", data, "--set", "wire.port=0")).program.stop();
  await RunningProgram.start("local", data, "--set", `remote.address=${join(folder, "nobody")}`);
  const interceptor = await RunningProgram.start("interceptor", data);
  const client = await openDisk(interceptor, folder);
  const trace = await tracing(interceptor, "--count", "1");
  await client.write(0, Buffer.alloc(4096, 1));
  expect(await trace.ended).toEqual({ code: 0, signal: null });
  expect(trace.lines[1]).toMatch(/ write +0 +4\.0 KiB( +\d+){3}$/);
});
