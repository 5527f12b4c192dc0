/** Servers started by their clients: the listening socket is handed over as descriptor 3, the way systemd does it. */
import { expect, test } from "vitest";
import { succeed } from "./command.ts";
import { needPrograms, serveCommand, temporaryFolder } from "./harness.ts";
import { createFullImage, createImage, fileHash, MiB } from "./image.ts";

needPrograms("nbdinfo", "nbdcopy");

test("nbdinfo starts the server by itself and reads the size", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 7 * MiB);
  const { stdout } = await succeed("nbdinfo", ["--size", "--", "[", ...serveCommand(disk), "]"]);
  expect(stdout.trim()).toBe(String(7 * MiB));
});

test("options count for a server that was started by its client", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 7 * MiB);
  await succeed("nbdinfo", ["--is", "read-only", "--", "[", ...serveCommand(disk, ["--read-only"]), "]"]);
});

test("nbdcopy writes through a server that it starts by itself", async () => {
  const folder = await temporaryFolder();
  const source = await createFullImage(folder.file("source"), 16 * MiB);
  const disk = await createImage(folder.file("disk"), 16 * MiB);
  await succeed("nbdcopy", ["--connections=4", "--flush", "--", source, "[", ...serveCommand(disk), "]"]);
  expect(await fileHash(disk)).toBe(await fileHash(source));
});

test("nbdcopy reads from one server and writes to another, both started by itself", async () => {
  const folder = await temporaryFolder();
  const source = await createFullImage(folder.file("source"), 16 * MiB);
  const disk = await createImage(folder.file("disk"), 16 * MiB);
  const from = ["[", ...serveCommand(source, ["--read-only"]), "]"];
  await succeed("nbdcopy", ["--", ...from, "[", ...serveCommand(disk), "]"]);
  expect(await fileHash(disk)).toBe(await fileHash(source));
});
