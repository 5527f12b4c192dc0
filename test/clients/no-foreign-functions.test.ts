/** A host without the foreign function interface: slower and without holes, but never wrong. */
import { expect, test } from "vitest";
import { succeed } from "./command.ts";
import { needPrograms, startServer, temporaryFolder } from "./harness.ts";
import { createFullImage, createImage, fileHash, KiB, MiB } from "./image.ts";

needPrograms("nbdcopy", "qemu-io", "nbdinfo");

const without = { TIDEMARK_NO_FFI: "1" };

test("nbdcopy moves a disk in and out over four connections", async () => {
  const folder = await temporaryFolder();
  const source = await createFullImage(folder.file("source"), 16 * MiB + 4097);
  const disk = await createImage(folder.file("disk"), 16 * MiB + 4097);
  const server = await startServer(disk, ["--socket", folder.file("socket")], without);
  await succeed("nbdcopy", ["--connections=4", "--requests=16", "--flush", source, server.uri]);
  await succeed("nbdcopy", ["--connections=4", "--requests=16", server.uri, folder.file("copy")]);
  expect(await fileHash(disk)).toBe(await fileHash(source));
  expect(await fileHash(folder.file("copy"))).toBe(await fileHash(source));
});

test("zeros are written out where no hole can be punched, and a trim does nothing", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 8 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")], without);
  const steps = ["write -P 7 0 8M", "write -z -u 1M 3M", "write -z 5M 513", "discard 7M 64k", "flush"];
  const checks = ["read -P 7 0 1M", "read -P 0 1M 3M", "read -P 7 4M 1M", "read -P 0 5M 513", "read -P 7 7M 64k"];
  const { stdout } = await succeed("qemu-io", [
    ...["-f", "raw", "-d", "unmap"],
    ...[...steps, ...checks].flatMap((step) => ["-c", step]),
    server.uri,
  ]);
  expect(stdout).not.toContain("Pattern verification failed");
});

test("everything counts as data", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 8 * MiB, [{ position: 1 * MiB, lengthBytes: 64 * KiB }]);
  const server = await startServer(disk, ["--socket", folder.file("socket"), "--read-only"], without);
  const { stdout } = await succeed("nbdinfo", ["--map", "--json", server.uri]);
  expect(JSON.parse(stdout)).toMatchObject([{ offset: 0, length: 8 * MiB, type: 0 }]);
});
