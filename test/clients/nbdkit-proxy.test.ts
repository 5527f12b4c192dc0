/** nbdkit's nbd plugin in front of us: a client written with libnbd's asynchronous calls, which passes on what it is told. */
import { expect, test } from "vitest";
import { refuse, succeed } from "./command.ts";
import { needPrograms, startServer, temporaryFolder } from "./harness.ts";
import { allocatedBytes, createFullImage, createImage, fileHash, KiB, MiB } from "./image.ts";

needPrograms("nbdkit", "nbdcopy", "nbdinfo", "qemu-io");

/** A command line that starts the proxy for one client, as libnbd's programs take it. */
function proxy(uri: string): readonly string[] {
  return ["[", "nbdkit", "--exit-with-parent", "nbd", uri, "]"];
}

test("a disk read out through the proxy is the same and as sparse", async () => {
  const folder = await temporaryFolder();
  const runs = [{ position: 3 * MiB, lengthBytes: 5 * MiB }];
  const disk = await createImage(folder.file("disk"), 32 * MiB, runs);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  await succeed("nbdcopy", ["--connections=4", "--", ...proxy(server.uri), folder.file("copy")]);
  expect(await fileHash(folder.file("copy"))).toBe(await fileHash(disk));
  expect(await allocatedBytes(folder.file("copy"))).toBeLessThan(8 * MiB);
});

test("a disk written in through the proxy is the same", async () => {
  const folder = await temporaryFolder();
  const source = await createFullImage(folder.file("source"), 32 * MiB);
  const disk = await createImage(folder.file("disk"), 32 * MiB);
  const server = await startServer(disk, ["--port", "0"]);
  await succeed("nbdcopy", ["--connections=4", "--flush", "--", source, ...proxy(server.uri)]);
  await server.stop();
  expect(await fileHash(disk)).toBe(await fileHash(source));
});

test("the proxy finds and passes on all abilities of the export", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 8 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const { stdout } = await succeed("nbdinfo", ["--json", "--", ...proxy(server.uri)]);
  const abilities = { can_flush: true, can_fua: true, can_trim: true, can_zero: true, can_fast_zero: true };
  expect(JSON.parse(stdout)).toMatchObject({
    exports: [{ "export-size": 8 * MiB, can_multi_conn: true, can_cache: true, ...abilities }],
  });
});

test("single requests of every kind go through the proxy", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 8 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const commands = ["write -P 9 1 513", "write -f -P 8 1M 1M", "write -z -u 2M 64k", "discard 3M 1M", "flush"];
  const checks = ["read -P 9 1 513", "read -P 8 1M 1M", "read -P 0 2M 64k", "read -P 0 3M 1M"];
  const script = [...commands, ...checks].map((command) => `-c '${command}'`).join(" ");
  const { stdout, stderr } = await succeed("nbdkit", [
    ...["-U", "-", "nbd", server.uri],
    ...["--run", `exec qemu-io -f raw -d unmap ${script} "$uri"`],
  ]);
  expect(stdout + stderr).not.toMatch(/failed|error/i);
});

test("a read-only export stays read-only behind the proxy", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 64 * KiB);
  const server = await startServer(disk, ["--socket", folder.file("socket"), "--read-only"]);
  const { exitCode } = await refuse("nbdinfo", ["--can", "write", "--", ...proxy(server.uri)]);
  expect(exitCode).toBe(2);
});
