/** A disk that stands still while hosts go on asking. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { MiB } from "#src/core/limits.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { PausingDisk } from "./pausing-disk.ts";
import { RunningProgram } from "./running-program.ts";

needPrograms("setpriv", "nbdkit");

const sizeBytes = 64 * MiB;
const hostCount = 8;
const writesPerHost = 64;
/** For all that hosts ask for, and for what is under way between spool, remote and source; they ask for four times as much. */
const grownBytesMax = 128 * MiB;

function residentBytes(processId: number, which: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${processId}/status`, "utf8");
  return Number(new RegExp(`${which}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
}

test("fault 17: while the source stands still memory is bounded and the API answers; then all that was asked for is done", async () => {
  const folder = temporaryFolder();
  const disk = await PausingDisk.start(folder, sizeBytes);
  const up = await RunningProgram.start("up", join(folder, "data"));
  const volume = (await up.asked("volume", "add", "disk", "--source", disk.uri)) as VolumeReport;
  const hosts = await Promise.all(Array.from({ length: hostCount }, () => openVolume(volume.uris[0] as string)));
  const block = Buffer.alloc(MiB, 1);
  for (const host of hosts) await host.write(0, block);
  const beforeBytes = residentBytes(up.program.processId, "VmRSS");
  await disk.pause();
  const latest = Buffer.alloc(MiB, 2);
  let answeredCount = 0;
  const writes = hosts.flatMap((host, index) =>
    Array.from({ length: writesPerHost }, (_, turn) =>
      host.write(((index * writesPerHost + turn) % 64) * MiB, latest).then(() => {
        answeredCount++;
      }),
    ),
  );
  // The spool takes what it can; the source gets nothing, and the hosts no answer.
  await whenSeen(async () => expect((await up.status()).volumes[0]?.added).toBeGreaterThan(hostCount + 4));
  for (let look = 0; look < 20; look++) {
    const [open] = (await up.status()).volumes;
    expect([open?.state, open?.applied, answeredCount]).toEqual(["open", hostCount, 0]);
  }
  expect((await up.got("/healthz")).status).toBe(200);
  // Nothing has failed, so nothing else tells that nothing is done.
  const waited = async () => expect((await up.status()).volumes[0]?.hostWaitSeconds).toBeGreaterThan(0);
  await whenSeen(waited);
  await disk.resume();
  await Promise.all(writes);
  expect(residentBytes(up.program.processId, "VmHWM")).toBeLessThan(beforeBytes + grownBytesMax);
  const [first] = hosts;
  expect((await first?.read(63 * MiB, MiB))?.equals(latest)).toBe(true);
  // Nor does anything else tell that nothing is read.
  const moves = async () => expect((await up.status()).volumes[0]?.hostWaitSeconds).toBeUndefined();
  await whenSeen(moves);
  await disk.pause();
  const read = first?.read(0, MiB);
  await whenSeen(waited);
  await disk.resume();
  expect((await read)?.equals(latest)).toBe(true);
  for (const host of hosts) await host.disconnect();
  await up.program.stop();
});
