/**
 * nbdsh, libnbd's shell, told not to check anything itself: other clients never send what they know to be wrong, so with
 * them alone the server's own checks would go untested. And the older ways of the protocol, which it can be told to use.
 */
import { expect, test } from "vitest";
import { succeed } from "./command.ts";
import { needPrograms, startServer, temporaryFolder, unixUri } from "./harness.ts";
import { createFullImage, createImage, fileHash, KiB, MiB } from "./image.ts";

needPrograms("nbdsh");

/** `outcome` tells in a word how a call ended; `say` prints what the test compares. */
const prelude = `
import errno, json, nbd
def outcome(call, *arguments, **named):
    try:
        call(*arguments, **named)
        return "done"
    except nbd.Error as error:
        return error.errno
def say(value):
    print(json.dumps(value))
`;

/** The bindings belong to the system's own Python, which others may stand before. */
const environment = { PATH: "/usr/bin:/bin" };

async function shell(code: string): Promise<unknown> {
  const { stdout } = await succeed("nbdsh", ["-c", prelude, "-c", code], { environment });
  return JSON.parse(stdout);
}

test("fault 31: what lies past the end is refused with the right error, and the connection goes on", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 64 * KiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const hash = await fileHash(disk);
  const answer = await shell(`
h.set_strict_mode(0)
h.connect_uri("${server.uri}")
data = b"x" * 4096
say([
  outcome(h.pread, 4096, 61440 + 1), outcome(h.pread, 4096, 2**63 - 4096), outcome(h.pread, 1, 65536),
  outcome(h.pwrite, data, 61440 + 1), outcome(h.pwrite, data, 65536), outcome(h.pwrite, data, 2**63 - 1),
  outcome(h.zero, 4096, 61441), outcome(h.trim, 4096, 61441), outcome(h.cache, 4096, 61441),
  outcome(h.pread, 4096, 61440),
])`);
  const reads = ["EINVAL", "EINVAL", "EINVAL"];
  const writes = ["ENOSPC", "ENOSPC", "ENOSPC"];
  expect(answer).toEqual([...reads, ...writes, "ENOSPC", "EINVAL", "EINVAL", "done"]);
  expect(await fileHash(disk)).toBe(hash);
});

test("fault 31: a read-only export refuses every change, and the connection goes on", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 64 * KiB);
  const server = await startServer(disk, ["--socket", folder.file("socket"), "--read-only"]);
  const hash = await fileHash(disk);
  const answer = await shell(`
h.set_strict_mode(0)
h.connect_uri("${server.uri}")
say([
  outcome(h.pwrite, b"x" * 512, 0), outcome(h.pwrite, b"x" * 512, 0, nbd.CMD_FLAG_FUA),
  outcome(h.zero, 4096, 0), outcome(h.trim, 4096, 0), outcome(h.pread, 4096, 0),
])`);
  expect(answer).toEqual(["EPERM", "EPERM", "EPERM", "EPERM", "done"]);
  expect(await fileHash(disk)).toBe(hash);
});

test("fault 31: flags that mean nothing for a command are refused", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 64 * KiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const answer = await shell(`
h.set_strict_mode(0)
h.connect_uri("${server.uri}")
say([
  outcome(h.pread, 512, 0, nbd.CMD_FLAG_REQ_ONE), outcome(h.pwrite, b"x" * 512, 0, nbd.CMD_FLAG_NO_HOLE),
  outcome(h.trim, 512, 0, nbd.CMD_FLAG_FAST_ZERO), outcome(h.pread, 512, 0, nbd.CMD_FLAG_DF),
])`);
  expect(answer).toEqual(["EINVAL", "EINVAL", "EINVAL", "done"]);
});

test("block status with one extent asked for tells of the first only", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 1 * MiB, [{ position: 256 * KiB, lengthBytes: 64 * KiB }]);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const answer = await shell(`
h.add_meta_context("base:allocation")
h.connect_uri("${server.uri}")
found = []
h.block_status(2**20, 0, lambda context, at, entries, error: found.append(entries) or 0, nbd.CMD_FLAG_REQ_ONE)
say(found)`);
  expect(answer).toEqual([[256 * KiB, 3]]);
});

test("a client without structured replies is served with simple ones, errors included", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 1 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const answer = await shell(`
h.set_strict_mode(0)
h.set_request_structured_replies(False)
h.connect_uri("${server.uri}")
data = bytes(range(256)) * 512
h.pwrite(data, 4097)
say([
  h.get_structured_replies_negotiated(), h.pread(len(data), 4097) == data,
  outcome(h.pread, 2, 2**20 - 1), outcome(h.pread, 2, 2**20 - 2),
])`);
  expect(answer).toEqual([false, true, "EINVAL", "done"]);
});

test("a client of the oldest newstyle handshake is served", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 1 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket"), "--name", "old"]);
  const answer = await shell(`
h.set_handshake_flags(0)
h.connect_uri("${server.uri}")
say([h.get_protocol(), h.get_size(), outcome(h.pread, 2**20, 0)])`);
  expect(answer).toEqual(["newstyle", 1 * MiB, "done"]);
});

test("a flush on one connection stands for what was written on another", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 1 * MiB);
  await startServer(disk, ["--socket", folder.file("socket")]);
  const answer = await shell(`
handles = [nbd.NBD() for _ in range(4)]
for handle in handles: handle.connect_uri("${unixUri(folder.file("socket"))}")
handles[0].pwrite(b"a" * 4096, 8192)
handles[1].flush()
say([handle.can_multi_conn() and handle.pread(4096, 8192) == b"a" * 4096 for handle in handles])`);
  expect(answer).toEqual([true, true, true, true]);
});
