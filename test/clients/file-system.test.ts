/** Real file systems on a served disk, through nbdfuse and a loop device: made, filled, trimmed, checked, found again. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { attach, attachObstacle, mount } from "./attached-disk.ts";
import { succeed } from "./command.ts";
import { needPrograms, skipWhere, startServer, temporaryFolder } from "./harness.ts";
import { allocatedBytes, createImage, MiB, noise } from "./image.ts";
import { treeHash, writeTree } from "./tree.ts";

needPrograms("setpriv", "nbdfuse", "fusermount3", "losetup", "fstrim", "mkfs.ext4", "mkfs.xfs");
skipWhere(attachObstacle);

interface FileSystem {
  readonly make: readonly [string, ...string[]];
  readonly check: readonly [string, ...string[]];
  readonly sizeBytes: number;
}

const ext4: FileSystem = { make: ["mkfs.ext4", "-q"], check: ["e2fsck", "-f", "-n"], sizeBytes: 96 * MiB };
/** 300 MiB is the least that mkfs.xfs takes. */
const xfs: FileSystem = { make: ["mkfs.xfs", "-q"], check: ["xfs_repair", "-n"], sizeBytes: 304 * MiB };

const passingBytes = 24 * MiB;

/** Content is removed and written again as well as written, so that blocks change their use. */
async function fill(path: string): Promise<void> {
  await writeTree(path, 1);
  await writeFile(join(path, "passing"), noise(passingBytes, 99));
  await succeed("sync", ["-f", path]);
  await rm(join(path, "a/b"), { recursive: true });
  await writeTree(join(path, "c"), 2);
}

/** Done in a mount of its own: XFS frees what was removed some time later, or when it is unmounted. */
async function giveBack(path: string, disk: string): Promise<void> {
  const fullBytes = await allocatedBytes(disk);
  await succeed("fstrim", [path]);
  expect(await allocatedBytes(disk)).toBeLessThan(fullBytes - passingBytes / 2);
}

async function surviveRestart({ make, check, sizeBytes }: FileSystem): Promise<void> {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), sizeBytes);
  const socket = folder.file("socket");

  const firstServer = await startServer(disk, ["--socket", socket]);
  const first = await attach(folder, firstServer.uri);
  await succeed(make[0], [...make.slice(1), first.device]);
  const filled = await mount(folder, first.device);
  await fill(filled.path);
  await rm(join(filled.path, "passing"));
  await filled.unmount();
  const trimmed = await mount(folder, first.device);
  await giveBack(trimmed.path, disk);
  const hash = await treeHash(trimmed.path);
  await trimmed.unmount();
  await succeed(check[0], [...check.slice(1), first.device]);
  await first.detach();
  await firstServer.stop();

  const secondServer = await startServer(disk, ["--socket", socket]);
  const second = await attach(folder, secondServer.uri);
  await succeed(check[0], [...check.slice(1), second.device]);
  const found = await mount(folder, second.device, "ro");
  expect(await treeHash(found.path)).toBe(hash);
}

test("an ext4 file system is whole and unchanged after the server was started anew", () => surviveRestart(ext4));

test("an XFS file system is whole and unchanged after the server was started anew", () => surviveRestart(xfs));
