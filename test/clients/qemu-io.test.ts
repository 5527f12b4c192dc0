/** qemu-io scripts: single requests of every kind, at places and of lengths that no file system would choose. */
import { expect, test } from "vitest";
import { type CommandResult, run } from "./command.ts";
import { needPrograms, startServer, temporaryFolder } from "./harness.ts";
import { allocatedBytes, createFullImage, createImage, KiB, MiB, noise, readRange } from "./image.ts";

needPrograms("qemu-io");

interface Script {
  readonly uri: string;
  readonly commands: readonly string[];
  readonly flags?: readonly string[];
}

function qemuIo(script: Script): Promise<CommandResult> {
  const commands = script.commands.flatMap((command) => ["-c", command]);
  return run("qemu-io", ["-f", "raw", ...(script.flags ?? []), ...commands, script.uri]);
}

/** qemu-io goes on after a failed command and says so only in words. */
async function play(uri: string, ...commands: readonly string[]): Promise<void> {
  const result = await qemuIo({ uri, commands });
  const words = result.stdout + result.stderr;
  if (result.exitCode !== 0 || /failed|error|No such|not supported|Invalid/i.test(words)) {
    throw new Error(`${result.line}:\n${words}`);
  }
}

test("a written pattern reads back, at once and after a flush", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 4 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  await play(server.uri, "write -P 0x5a 64k 128k", "read -P 0x5a 64k 128k", "flush", "read -P 0x5a 64k 128k");
  await play(server.uri, "read -P 0 0 64k", "read -P 0x5a 64k 128k", "read -P 0 192k 64k");
});

test("a write touches its own bytes only, aligned or not", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 1 * MiB);
  const expected = noise(1 * MiB, 1);
  const places = [
    { position: 1, lengthBytes: 513 },
    { position: 4095, lengthBytes: 2 },
    { position: 8192, lengthBytes: 4096 },
    { position: 65_535, lengthBytes: 131_073 },
    { position: 1 * MiB - 1, lengthBytes: 1 },
  ];
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  for (const { position, lengthBytes } of places) expected.fill(0xa7, position, position + lengthBytes);
  await play(server.uri, ...places.map((place) => `write -P 0xa7 ${place.position} ${place.lengthBytes}`));
  await play(server.uri, ...places.map((place) => `read -P 0xa7 ${place.position} ${place.lengthBytes}`));
  await server.stop();
  expect((await readRange(disk, 0, 1 * MiB)).equals(expected)).toBe(true);
});

test("a vector of many buffers is one write and one read", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 1 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  await play(server.uri, "writev -P 0x11 1024 512 1024 2048 4096 8192", "readv -P 0x11 1024 8192 4096 2048 1024 512");
});

test("requests under way together all end right", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 16 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const places = Array.from({ length: 16 }, (_, index) => ({ pattern: index + 1, place: `${index}M 1M` }));
  await play(server.uri, ...places.map(({ pattern, place }) => `aio_write -P ${pattern} ${place}`), "aio_flush");
  await play(server.uri, ...places.map(({ pattern, place }) => `aio_read -P ${pattern} ${place}`), "aio_flush");
});

test("write zeroes makes zeros of exactly the range, and a hole where that is allowed", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 8 * MiB);
  const expected = noise(8 * MiB, 1).fill(0, 4097, 4097 + 1 * MiB);
  expected.fill(0, 2 * MiB, 6 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  await play(server.uri, "write -z 4097 1M", "read -P 0 4097 1M", "write -z -u 2M 4M", "read -P 0 2M 4M");
  await server.stop();
  expect((await readRange(disk, 0, 8 * MiB)).equals(expected)).toBe(true);
  expect(await allocatedBytes(disk)).toBeLessThan(5 * MiB);
});

test("write zeroes keeps the space where a hole is not allowed", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 4 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  await play(server.uri, "write -z 1M 2M", "read -P 0 1M 2M");
  await server.stop();
  expect(await allocatedBytes(disk)).toBeGreaterThanOrEqual(4 * MiB);
});

test("discard gives the space back and what was discarded reads as zeros", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 8 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const script = { uri: server.uri, flags: ["-d", "unmap"], commands: ["discard 1M 6M", "read -P 0 1M 6M", "flush"] };
  const result = await qemuIo(script);
  expect(result).toMatchObject({ exitCode: 0, stderr: "" });
  await server.stop();
  expect(await allocatedBytes(disk)).toBeLessThan(3 * MiB);
  expect((await readRange(disk, 7 * MiB, 1 * MiB)).equals(noise(8 * MiB, 1).subarray(7 * MiB))).toBe(true);
});

test("a write with forced unit access is taken, of data and of zeros", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 1 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  await play(server.uri, "write -f -P 0x3c 4k 8k", "write -z -f 64k 4k", "read -P 0x3c 4k 8k", "read -P 0 64k 4k");
});

test("the largest read and write that the protocol allows pass in one piece", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 40 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  await play(server.uri, "write -P 0x77 1M 32M", "read -P 0x77 1M 32M", "read -P 0 33M 1M");
});

/** qemu-io asks the server for no such thing: it must know the right size. What the server says is in nbdsh.test.ts. */
test("a read, a write and a discard past the end fail and change nothing", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 64 * KiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  for (const command of ["read 60k 8k", "write -P 1 60k 8k", "write -z 60k 8k", "discard 60k 8k", "read 64k 512"]) {
    const result = await qemuIo({ uri: server.uri, commands: [command] });
    expect(`${command}: ${result.stdout}${result.stderr}`).toMatch(/failed/);
  }
  await play(server.uri, "read -P 0 0 64k");
});

test("a read-only export refuses to be opened for writing and can be read", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 64 * KiB);
  const server = await startServer(disk, ["--socket", folder.file("socket"), "--read-only"]);
  const writer = await qemuIo({ uri: server.uri, commands: ["write -P 1 0 4k"] });
  expect(writer.exitCode).not.toBe(0);
  const reader = await qemuIo({ uri: server.uri, flags: ["-r"], commands: ["read 0 64k"] });
  expect(reader).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("read 65536/65536 bytes at offset 0") });
  await server.stop();
  expect((await readRange(disk, 0, 64 * KiB)).equals(noise(64 * KiB, 1))).toBe(true);
});
