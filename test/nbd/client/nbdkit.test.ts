import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MiB } from "#src/core/limits.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import { connect, describeExport, listExports } from "#src/nbd/client/connect.ts";
import { NbdConnectionError, NbdOptionError } from "#src/nbd/client/errors.ts";
import { createCertificates } from "#test/clients/certificates.ts";
import { needPrograms, temporaryFolder } from "#test/clients/harness.ts";
import { exercise } from "./exercise.ts";
import { type Peer, startNbdkit } from "./peers.ts";

needPrograms("nbdkit");

const everything = { structured: true, extended: true, metaContexts: ["base:allocation"] };
const nothingMore = { structured: false, extended: false, metaContexts: [] };

function optionsFor(peer: Peer, requestTimeoutMs = 20_000) {
  return {
    address: peer.address,
    connectTimeoutMs: 10_000,
    requestTimeoutMs,
    sockets: nodeSockets,
    clock: nodeClock,
    exportName: "",
    want: everything,
  };
}

describe("with nbdkit", () => {
  test("many requests at once end up where they belong", async () => {
    const peer = await startNbdkit("memory", "size=8M");
    await using client = await connect(optionsFor(peer));
    expect(client.style).toBe("structured");
    await exercise(client, 1);
  });

  test("the same goes for simple replies", async () => {
    const peer = await startNbdkit("--no-sr", "memory", "size=8M");
    await using client = await connect(optionsFor(peer));
    expect(client).toMatchObject({ style: "simple", contexts: [] });
    await exercise(client, 2);
  });

  test.each(["0", "1", "2", "3"])("a handshake with the flags %s leads to the export", async (mask) => {
    const peer = await startNbdkit(`--mask-handshake=${mask}`, "memory", "size=1M");
    await using client = await connect(optionsFor(peer));
    expect(client.sizeBytes).toBe(MiB);
    await client.write(0, Buffer.from("content"));
    expect((await client.read(0, 7)).toString()).toBe("content");
  });

  test("every byte of a large read is the one that belongs there", async () => {
    const peer = await startNbdkit("pattern", "size=1T");
    await using client = await connect(optionsFor(peer));
    const start = 2 ** 39 + 8;
    const read = await client.read(start, 70 * MiB);
    for (let at = 0; at < read.length; at += 4096) expect(read.readBigUInt64BE(at)).toBe(BigInt(start + at));
  });

  test("a server's blocks are kept to, and its largest payload", async () => {
    const sizes = ["blocksize-minimum=4096", "blocksize-preferred=4096", "blocksize-maximum=65536"];
    const policy = ["--filter=blocksize-policy", "memory", "size=1M", ...sizes, "blocksize-error-policy=error"];
    const peer = await startNbdkit(...policy);
    await using client = await connect(optionsFor(peer));
    expect(client.blockSizes).toEqual({ minimumBytes: 4096, preferredBytes: 4096, payloadBytesMax: 65536 });
    await expect(client.write(512, Buffer.alloc(512))).rejects.toThrow("whole blocks of 4096 bytes");
    const content = Buffer.alloc(MiB, "content ");
    await client.write(0, content);
    expect((await client.read(0, MiB)).equals(content)).toBe(true);
  });

  test("errors come by number and name, and the connection goes on", async () => {
    const filter = ["--filter=error", "memory", "size=1M", "error=ENOSPC", "error-pwrite-rate=100%"];
    const peer = await startNbdkit(...filter);
    await using client = await connect(optionsFor(peer));
    await expect(client.write(0, Buffer.of(1))).rejects.toMatchObject({ errorNumber: 28, code: "ENOSPC" });
    expect((await client.read(0, 1))[0]).toBe(0);
  });

  test("replies may come in another order than requests", async () => {
    const peer = await startNbdkit("--filter=delay", "memory", "size=1M", "rdelay=300ms");
    await using client = await connect(optionsFor(peer));
    const order: string[] = [];
    const reading = client.read(0, 4096).then(() => void order.push("read"));
    const writing = client.write(8192, Buffer.of(1)).then(() => void order.push("write"));
    await Promise.all([reading, writing]);
    expect(order).toEqual(["write", "read"]);
  });

  test("block status tells holes from data", async () => {
    const peer = await startNbdkit("memory", "size=1M");
    await using client = await connect(optionsFor(peer));
    await client.write(65536, Buffer.alloc(65536, 1));
    const extents = (await client.blockStatus(0, MiB)).get("base:allocation") ?? [];
    const known = extents.map(({ lengthBytes, status }) => [lengthBytes, status]);
    expect(known).toEqual([
      [65536, 3],
      [65536, 0],
      [MiB - 131072, 3],
    ]);
    const one = await client.blockStatus(65536, MiB - 65536, { one: true });
    expect(one.get("base:allocation")).toEqual([{ lengthBytes: 65536, status: 0, statusHigh: 0 }]);
  });

  test("what an export cannot do is known, and not asked for", async () => {
    const peer = await startNbdkit("-r", "--filter=nozero", "memory", "size=1M");
    await using client = await connect(optionsFor(peer));
    expect(client.flags).toMatchObject({ readOnly: true, canWriteZeroes: false });
    await expect(client.write(0, Buffer.of(1))).rejects.toThrow("read-only");
  });

  test("an export of more bytes than a number can count is refused", async () => {
    const peer = await startNbdkit("null", "size=1E");
    await expect(connect(optionsFor(peer))).rejects.toThrow("larger than this client can address");
  });

  test("exports are listed and described", async () => {
    const list = "list_exports=echo INTERLEAVED; echo one; echo first of all; echo two; echo second";
    const eval_ = ["eval", "open=echo $3", list, "get_size=echo 4096", 'pread=head -c "$3" /dev/zero'];
    const peer = await startNbdkit(...eval_, 'export_description=echo "about $2"');
    expect(await listExports(optionsFor(peer))).toEqual([
      { name: "one", description: "first of all" },
      { name: "two", description: "second" },
    ]);
    const described = await describeExport(optionsFor(peer), "two");
    expect(described).toMatchObject({ sizeBytes: 4096, description: "about two", contextNames: ["base:allocation"] });
  });

  test("a refused export is told in the server's words", async () => {
    const peer = await startNbdkit(
      "--filter=exportname",
      "memory",
      "size=1M",
      "exportname-strict=true",
      "exportname=one",
    );
    await expect(connect({ ...optionsFor(peer), exportName: "other" })).rejects.toThrow(NbdOptionError);
    await expect(describeExport(optionsFor(peer), "other")).rejects.toThrow('the export "other": no such export');
  });

  test("an address where nobody listens is an error that says so", async () => {
    const folder = await temporaryFolder();
    const address = { kind: "unix", path: folder.file("nobody") } as const;
    const base = { connectTimeoutMs: 10_000, requestTimeoutMs: 10_000, sockets: nodeSockets, clock: nodeClock };
    const connecting = connect({ ...base, address, exportName: "", want: nothingMore });
    await expect(connecting).rejects.toThrow(NbdConnectionError);
    await expect(connecting).rejects.toThrow(/no connection to .*nobody: there is no such file/);
  });
});

describe("a server that dies", () => {
  test("fails all that is under way", async () => {
    const peer = await startNbdkit("--filter=delay", "memory", "size=1M", "rdelay=60");
    const client = await connect(optionsFor(peer));
    const reading = [client.read(0, 4096), client.read(4096, 4096)];
    await client.write(0, Buffer.of(1));
    peer.kill();
    for (const result of await Promise.allSettled(reading)) {
      expect(result).toMatchObject({ status: "rejected", reason: expect.any(NbdConnectionError) });
    }
    await expect(client.flush()).rejects.toThrow(NbdConnectionError);
    await client.disconnect();
  });

  test("without a word, its connection standing, is given up after the time-out", async () => {
    const peer = await startNbdkit("memory", "size=1M");
    const client = await connect(optionsFor(peer, 200));
    peer.freeze();
    // Some requests may still be answered: a signal takes its time.
    const flushOnAndOn = async () => {
      for (;;) await client.flush();
    };
    await expect(flushOnAndOn()).rejects.toThrow("no progress in 200 ms: flush");
    await expect(connect(optionsFor(peer, 200))).rejects.toThrow("did not answer in 200 ms");
  });
});

describe("TLS", () => {
  needPrograms("openssl");

  async function prepare(...mode: readonly string[]) {
    const folder = await temporaryFolder();
    const certificates = await createCertificates(folder.path);
    const peer = await startNbdkit(...mode, `--tls-certificates=${folder.path}`, "memory", "size=8M");
    const credentials = async (path: string) => ({
      ca: await readFile(join(path, "ca-cert.pem"), "utf8"),
      cert: await readFile(join(path, "client-cert.pem"), "utf8"),
      key: await readFile(join(path, "client-key.pem"), "utf8"),
    });
    return { peer, certificates, credentials };
  }

  test("carries everything, with certificates on both sides", async () => {
    const prepared = await prepare("--tls=require", "--tls-verify-peer");
    const credentials = await prepared.credentials(prepared.certificates.clientFolder);
    const options = { ...optionsFor(prepared.peer), tls: { ...credentials, serverName: "localhost" } };
    expect(await listExports(options)).toHaveLength(1);
    await using client = await connect(options);
    await exercise(client, 3);
  });

  test("is not entered with a server of another name, or one that nobody vouches for", async () => {
    const prepared = await prepare("--tls=on");
    const trusted = await prepared.credentials(prepared.certificates.clientFolder);
    const other = { ...optionsFor(prepared.peer), tls: { ...trusted, serverName: "elsewhere" } };
    await expect(connect(other)).rejects.toThrow(/no TLS with .*elsewhere/);
    const distrusting = await prepared.credentials(prepared.certificates.distrustfulFolder);
    const unknown = { ...optionsFor(prepared.peer), tls: { ...distrusting, serverName: "localhost" } };
    await expect(connect(unknown)).rejects.toThrow(/no TLS with /);
  });

  test("is never done without because a server has none", async () => {
    const peer = await startNbdkit("--tls=off", "memory", "size=1M");
    await expect(connect({ ...optionsFor(peer), tls: {} })).rejects.toThrow("the server refused TLS");
  });

  test("that a server demands is named when it was left out", async () => {
    const prepared = await prepare("--tls=require");
    await expect(connect(optionsFor(prepared.peer))).rejects.toThrow("TLS required");
  });
});
