/** The end of a group. */
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { RunningProgram } from "./running-program.ts";

test("a group is ended once it has no volumes, and begins anew with the next one", async () => {
  const folder = temporaryFolder();
  const up = await RunningProgram.start("up", join(folder, "data"));
  const add = ["volume", "add", "disk", "--source", join(folder, "disk.img")];
  const { uris } = (await up.asked(...add, "--size", "1M")) as VolumeReport;
  const client = await openVolume(uris[0] as string);
  await client.write(0, Buffer.alloc(4096, 1));
  await client.disconnect();
  expect((await up.typed("group", "ls")).stdout).toMatch(/^GROUP .*\ndisk +1 +async/);
  expect((await up.typed("group", "rm", "disk")).stderr).toContain("group 'disk' has a volume: remove what it has");
  expect((await up.typed("group", "rm", "none")).stderr).toContain("there is no group 'none'");
  const [before] = (await up.status()).groups;
  await up.asked("volume", "rm", "disk", "--confirm", "disk");
  await whenSeen(async () => {
    expect(await up.typed("group", "rm", "disk")).toMatchObject({ exitCode: 0, stdout: "disk has ended here\n" });
  });
  const { groups, remoteGroups } = await up.status();
  expect([groups, remoteGroups]).toMatchObject([[], [{ id: before?.id, name: "disk" }]]);
  expect((await up.typed("group", "ls")).stdout).toBe("no groups yet\n");

  await up.asked(...add);
  const [after] = (await up.status()).groups;
  expect([after?.name, after?.id === before?.id]).toEqual(["disk", false]);
  await up.program.stop();
  const again = await RunningProgram.start("up", join(folder, "data"));
  expect((await again.status()).groups).toMatchObject([{ id: after?.id }]);
});
