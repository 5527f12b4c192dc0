/** qemu-img, the usual way in and out of a disk image, on both ends of a copy. */
import { expect, test } from "vitest";
import { refuse, succeed } from "./command.ts";
import { needPrograms, startServer, temporaryFolder } from "./harness.ts";
import { allocatedBytes, createFullImage, createImage, fileHash, KiB, MiB } from "./image.ts";

needPrograms("qemu-img");

test("qemu-img info shows the size of the export", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 3 * MiB + 512);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const { stdout } = await succeed("qemu-img", ["info", "--output=json", server.uri]);
  expect(JSON.parse(stdout)).toMatchObject({ "virtual-size": 3 * MiB + 512, format: "raw" });
});

test("qemu-img convert reads out exactly what the file holds", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 24 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket"), "--read-only"]);
  await succeed("qemu-img", ["convert", "-f", "raw", "-O", "raw", server.uri, folder.file("copy")]);
  expect(await fileHash(folder.file("copy"))).toBe(await fileHash(disk));
});

test("qemu-img convert writes in exactly what the file shall hold", async () => {
  const folder = await temporaryFolder();
  const source = await createFullImage(folder.file("source"), 24 * MiB);
  const disk = await createImage(folder.file("disk"), 24 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  await succeed("qemu-img", ["convert", "-n", "-m", "16", "-W", "-f", "raw", "-O", "raw", source, server.uri]);
  await server.stop();
  expect(await fileHash(disk)).toBe(await fileHash(source));
});

test("qemu-img convert brings a sparse qcow2 image in, compares equal, and leaves the holes", async () => {
  const folder = await temporaryFolder();
  const runs = [
    { position: 0, lengthBytes: 1 * MiB },
    { position: 33 * MiB, lengthBytes: 64 * KiB },
  ];
  const source = await createImage(folder.file("source"), 64 * MiB, runs);
  const qcow2 = folder.file("source.qcow2");
  await succeed("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", source, qcow2]);
  const disk = await createFullImage(folder.file("disk"), 64 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  await succeed("qemu-img", ["convert", "-n", "-f", "qcow2", "-O", "raw", qcow2, server.uri]);
  await succeed("qemu-img", ["compare", "-f", "qcow2", "-F", "raw", qcow2, server.uri]);
  await server.stop();
  expect(await fileHash(disk)).toBe(await fileHash(source));
  expect(await allocatedBytes(disk)).toBeLessThan(4 * MiB);
});

test("qemu-img compare sees one byte that differs", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 8 * MiB);
  const other = await createImage(folder.file("other"), 8 * MiB, [{ position: 5 * MiB + 77, lengthBytes: 1 }]);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const { exitCode, stdout } = await refuse("qemu-img", ["compare", "-f", "raw", "-F", "raw", server.uri, other]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain(`Content mismatch at offset ${5 * MiB}`);
});

test("qemu-img map shows holes as zeros and data as data", async () => {
  const folder = await temporaryFolder();
  const runs = [
    { position: 1 * MiB, lengthBytes: 256 * KiB },
    { position: 6 * MiB, lengthBytes: 2 * MiB },
  ];
  const disk = await createImage(folder.file("disk"), 8 * MiB, runs);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const { stdout } = await succeed("qemu-img", ["map", "-f", "raw", "--output=json", server.uri]);
  const hole = { zero: true, data: false };
  const data = { zero: false, data: true };
  expect(JSON.parse(stdout)).toMatchObject([
    { start: 0, length: 1 * MiB, ...hole },
    { start: 1 * MiB, length: 256 * KiB, ...data },
    { start: 1 * MiB + 256 * KiB, length: 5 * MiB - 256 * KiB, ...hole },
    { start: 6 * MiB, length: 2 * MiB, ...data },
  ]);
});
