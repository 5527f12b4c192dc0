/** A block device in place of a file behind the server; a loop device over a file stands for it, so that all can be seen. */
import { expect, test } from "vitest";
import { loopObstacle } from "./attached-disk.ts";
import { succeed } from "./command.ts";
import { needPrograms, skipWhere, startServer, temporaryFolder } from "./harness.ts";
import { allocatedBytes, createFullImage, createImage, fileHash, MiB, noise, readRange } from "./image.ts";
import { loopDeviceOver } from "./loop-device.ts";

needPrograms("losetup", "nbdcopy", "nbdinfo", "qemu-io");
skipWhere(loopObstacle);

test("a block device is served with its own size, and what is flushed is in it", async () => {
  const folder = await temporaryFolder();
  const source = await createFullImage(folder.file("source"), 16 * MiB);
  const disk = await createImage(folder.file("disk"), 16 * MiB);
  const server = await startServer(await loopDeviceOver(disk), ["--socket", folder.file("socket")]);
  expect(server.sizeBytes).toBe(16 * MiB);
  await succeed("nbdcopy", ["--connections=4", "--flush", source, server.uri]);
  expect(await fileHash(disk)).toBe(await fileHash(source));
});

test("zeroes and discards reach what is behind a block device", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 16 * MiB);
  const server = await startServer(await loopDeviceOver(disk), ["--socket", folder.file("socket")]);
  const script = ["-c", "discard 1M 6M", "-c", "write -z -u 8M 4M", "-c", "write -z 4097 513", "-c", "flush"];
  await succeed("qemu-io", ["-f", "raw", "-d", "unmap", ...script, server.uri]);
  const checks = ["-c", "read -P 0 1M 6M", "-c", "read -P 0 8M 4M", "-c", "read -P 0 4097 513"];
  const { stdout, stderr } = await succeed("qemu-io", ["-f", "raw", ...checks, server.uri]);
  expect(stdout + stderr).not.toMatch(/failed|error/i);
  await server.stop();
  const expected = noise(16 * MiB, 1)
    .fill(0, 1 * MiB, 7 * MiB)
    .fill(0, 8 * MiB, 12 * MiB)
    .fill(0, 4097, 4097 + 513);
  expect((await readRange(disk, 0, 16 * MiB)).equals(expected)).toBe(true);
  expect(await allocatedBytes(disk)).toBeLessThan(8 * MiB);
});

test("a block device that is read-only by itself is served read-only", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 1 * MiB);
  const device = await loopDeviceOver(disk, "--read-only");
  const server = await startServer(device, ["--socket", folder.file("socket"), "--read-only"]);
  await succeed("nbdinfo", ["--is", "read-only", server.uri]);
  await succeed("nbdcopy", [server.uri, folder.file("copy")]);
  expect(await fileHash(folder.file("copy"))).toBe(await fileHash(disk));
});
