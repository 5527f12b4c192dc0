/** nbdcopy: many requests on several connections at once, and no more zeros moved than needed. */
import { expect, test } from "vitest";
import { succeed } from "./command.ts";
import { needPrograms, startServer, temporaryFolder } from "./harness.ts";
import { allocatedBytes, createFullImage, createImage, fileHash, KiB, MiB } from "./image.ts";

needPrograms("nbdcopy");

const parallel = ["--connections=4", "--threads=4", "--requests=16"];
const scattered = [
  { position: 0, lengthBytes: 64 * KiB },
  { position: 21 * MiB + 4 * KiB, lengthBytes: 1 * MiB },
  { position: 64 * MiB - 8 * KiB, lengthBytes: 8 * KiB },
];

test("nbdcopy writes a file in over four connections", async () => {
  const folder = await temporaryFolder();
  const source = await createFullImage(folder.file("source"), 32 * MiB);
  const disk = await createImage(folder.file("disk"), 32 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  await succeed("nbdcopy", [...parallel, "--flush", source, server.uri]);
  await server.stop();
  expect(await fileHash(disk)).toBe(await fileHash(source));
});

test("nbdcopy reads a file out over four connections", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 32 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket"), "--read-only"]);
  await succeed("nbdcopy", [...parallel, server.uri, folder.file("copy")]);
  expect(await fileHash(folder.file("copy"))).toBe(await fileHash(disk));
});

test("nbdcopy reads everything to nowhere with requests of the largest size", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 64 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket"), "--read-only"]);
  await succeed("nbdcopy", [...parallel, "--request-size=33554432", "--no-extents", server.uri, "null:"]);
});

test("nbdcopy of an image whose size is no multiple of anything keeps its last byte", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 3 * MiB + 4097);
  const server = await startServer(disk, ["--port", "0"]);
  await succeed("nbdcopy", [...parallel, server.uri, folder.file("copy")]);
  expect(await fileHash(folder.file("copy"))).toBe(await fileHash(disk));
});

test("nbdcopy keeps holes on the way in: what was there before is cut out", async () => {
  const folder = await temporaryFolder();
  const source = await createImage(folder.file("source"), 64 * MiB, scattered);
  const disk = await createFullImage(folder.file("disk"), 64 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  await succeed("nbdcopy", [...parallel, source, server.uri]);
  await server.stop();
  expect(await fileHash(disk)).toBe(await fileHash(source));
  expect(await allocatedBytes(disk)).toBeLessThan(4 * MiB);
});

test("nbdcopy keeps holes on the way out", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 64 * MiB, scattered);
  const server = await startServer(disk, ["--socket", folder.file("socket"), "--read-only"]);
  await succeed("nbdcopy", [...parallel, server.uri, folder.file("copy")]);
  expect(await fileHash(folder.file("copy"))).toBe(await fileHash(disk));
  expect(await allocatedBytes(folder.file("copy"))).toBeLessThan(4 * MiB);
});

test("nbdcopy takes a disk from one server to another", async () => {
  const folder = await temporaryFolder();
  const source = await createImage(folder.file("source"), 64 * MiB, scattered);
  const disk = await createImage(folder.file("disk"), 64 * MiB);
  const from = await startServer(source, ["--socket", folder.file("from"), "--read-only"]);
  const to = await startServer(disk, ["--socket", folder.file("to")]);
  await succeed("nbdcopy", [...parallel, "--flush", from.uri, to.uri]);
  await to.stop();
  expect(await fileHash(disk)).toBe(await fileHash(source));
});
