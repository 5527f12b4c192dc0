/** A source on a file system of its own that has no room for what hosts write to it. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { KiB, MiB } from "#src/core/limits.ts";
import { succeed } from "#test/clients/command.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { RunningProgram } from "./running-program.ts";

needPrograms("mount", "umount");

/** A volume over a sparse file on a file system of 4 MiB, of which something else has 3. */
async function crowded(...settings: readonly string[]) {
  const folder = temporaryFolder();
  const small = join(folder, "small");
  mkdirSync(small);
  await succeed("mount", ["-t", "tmpfs", "-o", "size=4M", "none", small]);
  onTestFinished(async () => void (await succeed("umount", ["--lazy", small])));
  const filler = join(small, "filler");
  writeFileSync(filler, Buffer.alloc(3 * MiB, 1));
  const up = await RunningProgram.start("up", join(folder, "data"), ...settings);
  const line = ["volume", "add", "disk", "--source", join(small, "disk.img"), "--size", "16M"];
  const { uris } = (await up.asked(...line)) as VolumeReport;
  const client = await openVolume(uris[0] as string);
  const volume = async (): Promise<VolumeReport | undefined> => (await up.status()).volumes[0];
  return { up, client, volume, makeRoom: () => rmSync(filler) };
}

test("fault 15: writes to a full source wait, reads go on, and it goes on by itself when there is room", async () => {
  const { up, client, volume, makeRoom } = await crowded();
  const writes = Array.from({ length: 24 }, (_, at) => client.write(at * 64 * KiB, Buffer.alloc(64 * KiB, at + 1)));
  await whenSeen(async () => expect(await volume()).toMatchObject({ state: "full" }));
  expect((await up.typed("status")).stdout).toContain("not ready: volume disk waits for room: the source is full");
  expect((await client.read(0, 4096))[0]).toBe(1);
  makeRoom();
  await Promise.all(writes);
  await client.flush();
  expect(await volume()).toMatchObject({ state: "open" });
  for (const at of [0, 12, 23]) expect((await client.read(at * 64 * KiB, 4096))[0]).toBe(at + 1);
  await client.disconnect();
});

test("fault 15: with interceptor.sourceFull=refuse, what comes later is told that there is no space", async () => {
  const { client, volume, makeRoom } = await crowded("--set", "interceptor.sourceFull=refuse");
  const caught = client.write(0, Buffer.alloc(2 * MiB, 1));
  await whenSeen(async () => expect(await volume()).toMatchObject({ state: "full" }));
  await expect(client.write(4 * MiB, Buffer.alloc(4096, 2))).rejects.toMatchObject({ code: "ENOSPC" });
  makeRoom();
  await caught;
  await whenSeen(async () => expect(await volume()).toMatchObject({ state: "open" }));
  await client.write(4 * MiB, Buffer.alloc(4096, 2));
  await client.disconnect();
});
