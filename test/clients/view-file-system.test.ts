/** A file system at many of its moments: each is a writable view, whose log is replayed, and which checks clean then. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { ViewFacts } from "#src/control/view.ts";
import { RunningProgram } from "#test/cli/running-program.ts";
import { whenSeen } from "#test/patience.ts";
import { type AttachedDisk, attach, attachObstacle, mount } from "./attached-disk.ts";
import { succeed } from "./command.ts";
import { needPrograms, skipWhere, temporaryFolder } from "./harness.ts";
import { noise } from "./image.ts";
import { treeHash, writeTree } from "./tree.ts";

needPrograms("setpriv", "nbdfuse", "fusermount3", "losetup", "mkfs.ext4", "e2fsck");
skipWhere(attachObstacle);

/** What all is durable of at the remote appliance. */
async function newestSeq(up: RunningProgram): Promise<number> {
  let seq = 0;
  await whenSeen(async () => {
    const { groups, remoteGroups } = await up.status();
    seq = groups[0]?.lastSeq ?? 0;
    expect(remoteGroups[0]?.durable).toBe(seq);
  });
  return seq;
}

async function checkClean({ device }: AttachedDisk): Promise<void> {
  await succeed("e2fsck", ["-f", "-n", device]);
}

test("ext4 replays its log on views of moments of its life, has what was synced by then, and checks clean", async () => {
  const folder = await temporaryFolder();
  const up = await RunningProgram.start("up", folder.file("data"), "--set", "store.sealAfterSeconds=2");
  const add = ["volume", "add", "disk", "--source", folder.file("disk.img"), "--size", "64M"];
  const { uris } = (await up.asked(...add)) as VolumeReport;
  const host = await attach(folder, uris[0] as string);
  await succeed("mkfs.ext4", ["-q", host.device]);
  const mounted = await mount(folder, host.device);
  const moments: { readonly seq: number; readonly hash: string }[] = [];
  for (let step = 1; step <= 4; step++) {
    await writeTree(join(mounted.path, `tree-${step}`), step);
    await writeFile(join(mounted.path, "passing"), noise(2 ** 20, step));
    await succeed("sync", ["-f", mounted.path]);
    moments.push({ seq: await newestSeq(up), hash: await treeHash(mounted.path) });
  }
  // The file system is in use all the while: none of its moments is one at which it was unmounted.
  const views: ViewFacts[] = [];
  for (const { seq } of moments) {
    views.push((await up.asked("view", "open", `disk@seq:${seq}`, "--writable")) as ViewFacts);
  }
  for (const [index, { uri }] of views.entries()) {
    const disk = await attach(folder, uri);
    const replayed = await mount(folder, disk.device);
    expect(await treeHash(replayed.path)).toBe(moments[index]?.hash);
    await writeFile(join(replayed.path, "written"), "to the view");
    await replayed.unmount();
    await checkClean(disk);
    await disk.detach();
  }
  // Moments that nobody chose: whatever the file system had sent by then must be enough for it.
  const [first, last] = [moments[0]?.seq ?? 0, moments.at(-1)?.seq ?? 0];
  for (let part = 1; part <= 4; part++) {
    const seq = Math.floor(first + ((last - first) * part) / 5);
    const { uri } = (await up.asked("view", "open", `disk@seq:${seq}`, "--writable")) as ViewFacts;
    const disk = await attach(folder, uri);
    await (await mount(folder, disk.device)).unmount();
    await checkClean(disk);
    await disk.detach();
  }
  expect(await treeHash(mounted.path)).toBe(moments.at(-1)?.hash);
  await mounted.unmount();
  await checkClean(host);
  await host.detach();
});
