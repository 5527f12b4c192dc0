/** A volume is removed where the roles are apart: the local appliance is another program, and may be away. */
import { mkdirSync, writeFileSync } from "node:fs";
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

needPrograms("nbdkit");

test("the local appliance hears of it, also when it was away", async () => {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  const remote = ["--set", `remote.address=${join(folder, "nobody")}`];
  mkdirSync(data);
  writeFileSync(join(data, "wire.token"), "ab".repeat(32), { mode: 0o600 });
  const local = await RunningProgram.start("local", data, ...remote);
  const interceptor = await RunningProgram.start("interceptor", data);
  for (const name of ["a", "b", "c"]) {
    const source = ["--source", join(folder, `${name}.img`), "--size", "1M"];
    await interceptor.asked("volume", "add", name, "--group", "g", ...source);
  }
  await interceptor.asked("volume", "rm", "b", "--confirm", "b");
  await whenSeen(async () => {
    expect((await local.status()).groups).toMatchObject([{ volumeNames: ["a", "c"] }]);
  });
  await local.program.stop();
  await interceptor.asked("volume", "rm", "c", "--confirm", "c");
  const back = await RunningProgram.start("local", data, ...remote);
  await whenSeen(() => back.asked("mark", "g", "--name", "m"));
});

test("a volume whose source stands still is removed, and its group goes on without it", async () => {
  const folder = temporaryFolder();
  const disk = await PausingDisk.start(folder, MiB);
  const up = await RunningProgram.start("up", join(folder, "data"));
  const other = ["--source", join(folder, "other.img"), "--size", "1M"];
  await up.asked("volume", "add", "other", "--group", "g", ...other);
  const { uris } = (await up.asked("volume", "add", "disk", "--group", "g", "--source", disk.uri)) as VolumeReport;
  const client = await openVolume(uris[0] as string);
  await disk.pause();
  const written = client.write(0, Buffer.alloc(4096, 1));
  written.catch(() => {});
  const added = async () => (await up.status()).volumes.find(({ name }) => name === "disk")?.added;
  await whenSeen(async () => expect(await added()).toBeGreaterThan(0));
  const removal = await up.asked("volume", "rm", "disk", "--confirm", "disk", "--force");
  expect(removal).toEqual({ sourceHeld: expect.stringContaining("does not answer, and is held until it does") });
  expect((await up.status()).volumes.map(({ name }) => name)).toEqual(["other"]);
  await whenSeen(() => up.asked("mark", "g", "--name", "m"));
  await disk.resume();
  await up.program.stop();
});
