import { readFile } from "node:fs/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { GiB, MiB } from "#src/core/limits.ts";
import { openBlockDevice } from "#src/host/node/block-device.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import { connect, describeExport, listExports } from "#src/nbd/client/connect.ts";
import type { Wants } from "#src/nbd/client/handshake.ts";
import { DeviceExport } from "#src/nbd/device-export.ts";
import { NbdServer } from "#src/nbd/server.ts";
import type { NbdServerOptions } from "#src/nbd/server-context.ts";
import { createCertificates } from "#test/clients/certificates.ts";
import { needPrograms, temporaryFolder } from "#test/clients/harness.ts";
import { createImage } from "#test/clients/image.ts";
import { exercise } from "./exercise.ts";

const base = { connectTimeoutMs: 10_000, requestTimeoutMs: 20_000, sockets: nodeSockets, clock: nodeClock };
const metaContexts = ["base:allocation"];
const everything: Wants = { structured: true, extended: true, metaContexts };
const styles: readonly (readonly [string, Wants])[] = [
  ["simple", { structured: false, extended: false, metaContexts: [] }],
  ["structured", { structured: true, extended: false, metaContexts }],
  ["extended", everything],
];

interface Serving {
  readonly address: SocketAddress;
  readonly folderPath: string;
}

async function serve(sizeBytes: number, tls?: NbdServerOptions["tls"], tcp = false): Promise<Serving> {
  const folder = await temporaryFolder();
  const device = openBlockDevice(await createImage(folder.file("image"), sizeBytes), { readOnly: false });
  const disk = new DeviceExport(device, { name: "disk", description: "what it is", clock: nodeClock });
  const exports = { find: (name: string) => (name === "disk" ? disk : undefined), list: () => [disk] };
  const server = new NbdServer({
    exports,
    sockets: nodeSockets,
    clock: nodeClock,
    ...(tls === undefined ? {} : { tls }),
  });
  const asked: SocketAddress = tcp
    ? { kind: "tcp", host: "127.0.0.1", port: 0 }
    : { kind: "unix", path: folder.file("s") };
  const address = await server.listen(asked);
  onTestFinished(async () => {
    await server.close(0);
    device.close();
  });
  return { address, folderPath: folder.path };
}

describe("with our own server", () => {
  test.each(styles)("many requests at once end up where they belong: %s", async (style, want) => {
    const { address } = await serve(8 * MiB);
    await using client = await connect({ ...base, address, exportName: "disk", want });
    expect(client).toMatchObject({ style, contexts: want.metaContexts, exportName: "disk", description: "what it is" });
    await exercise(client, 5);
  });

  test("over TCP, too", async () => {
    const { address } = await serve(8 * MiB, undefined, true);
    await using client = await connect({ ...base, address, exportName: "disk", want: everything });
    await exercise(client, 6);
  });

  test("ranges above 4 GiB go in one extended request", async () => {
    const { address } = await serve(64 * GiB);
    await using client = await connect({ ...base, address, exportName: "disk", want: everything });
    await client.write(40 * GiB, Buffer.alloc(65536, 1));
    await client.writeZeroes(0, 32 * GiB);
    const dataRuns: number[][] = [];
    for (let at = 0; at < client.sizeBytes; ) {
      // An answer may tell of less than was asked for.
      for (const extent of (await client.blockStatus(at, client.sizeBytes - at)).get("base:allocation") ?? []) {
        if (extent.status === 0) dataRuns.push([at, extent.lengthBytes]);
        at += extent.lengthBytes;
      }
    }
    expect(dataRuns).toEqual([[40 * GiB, 65536]]);
    await client.trim(8 * GiB, 56 * GiB);
    expect((await client.read(40 * GiB, 65536)).every((byte) => byte === 0)).toBe(true);
  });

  test("a transfer larger than the largest payload arrives whole", async () => {
    const { address } = await serve(128 * MiB);
    await using client = await connect({ ...base, address, exportName: "disk", want: everything });
    const content = Buffer.alloc(100 * MiB);
    for (let at = 0; at < content.length; at += 4096) content.writeUInt32BE(at, at);
    await client.write(12_345, content);
    expect((await client.read(12_345, content.length)).equals(content)).toBe(true);
  });

  test("exports are listed and described", async () => {
    const { address } = await serve(MiB);
    expect(await listExports({ ...base, address })).toEqual([{ name: "disk", description: "what it is" }]);
    expect(await describeExport({ ...base, address }, "disk")).toMatchObject({
      sizeBytes: MiB,
      contextNames: ["base:allocation"],
    });
    await expect(describeExport({ ...base, address }, "other")).rejects.toThrow("no such export");
  });
});

describe("with our own server over TLS", () => {
  needPrograms("openssl");

  test("many requests at once end up where they belong", async () => {
    const made = await temporaryFolder();
    const certificates = await createCertificates(made.path);
    const text = (path: string) => readFile(path, "utf8");
    const ca = await text(certificates.authorityFile);
    const credentials = {
      ca,
      cert: await text(certificates.serverCertificateFile),
      key: await text(certificates.serverKeyFile),
    };
    const { address } = await serve(8 * MiB, { policy: "require", credentials }, true);
    const own = {
      ca,
      cert: await text(`${certificates.clientFolder}/client-cert.pem`),
      key: await text(`${certificates.clientFolder}/client-key.pem`),
    };
    const want = everything;
    await using client = await connect({
      ...{ ...base, address, exportName: "disk", want },
      tls: { ...own, serverName: "localhost" },
    });
    await exercise(client, 7);
    await expect(connect({ ...base, address, exportName: "disk", want })).rejects.toThrow("TLS required");
    const stranger = {
      ca,
      cert: await text(`${certificates.strangerFolder}/client-cert.pem`),
      key: await text(`${certificates.strangerFolder}/client-key.pem`),
      serverName: "localhost",
    };
    await expect(connect({ ...base, address, exportName: "disk", want, tls: stranger })).rejects.toThrow();
  });
});
