import { describe, expect, test } from "vitest";
import { MiB } from "#src/core/limits.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import { connect, describeExport, listExports } from "#src/nbd/client/connect.ts";
import { succeed } from "#test/clients/command.ts";
import { needPrograms, temporaryFolder } from "#test/clients/harness.ts";
import { createImage } from "#test/clients/image.ts";
import { exercise } from "./exercise.ts";
import { type Peer, startQemuNbd } from "./peers.ts";

needPrograms("qemu-nbd", "qemu-img");

function optionsFor(peer: Peer) {
  return {
    address: peer.address,
    connectTimeoutMs: 10_000,
    requestTimeoutMs: 20_000,
    sockets: nodeSockets,
    clock: nodeClock,
    exportName: "disk",
    want: { structured: true, extended: true, metaContexts: ["base:allocation", "qemu:allocation-depth", "x-no:such"] },
  };
}

async function startWithImage(format: "raw" | "qcow2"): Promise<Peer> {
  const folder = await temporaryFolder();
  const image = folder.file("image");
  if (format === "raw") await createImage(image, 8 * MiB);
  else await succeed("qemu-img", ["create", "-q", "-f", format, image, "8M"]);
  const named = ["-x", "disk", "-D", "what it is", "--allocation-depth", "--discard=unmap"];
  return startQemuNbd("-f", format, ...named, image);
}

describe("with qemu-nbd", () => {
  test.each(["raw", "qcow2"] as const)("many requests at once end up where they belong, on %s", async (format) => {
    const peer = await startWithImage(format);
    await using client = await connect(optionsFor(peer));
    expect(client).toMatchObject({ style: "structured", exportName: "disk", description: "what it is" });
    await exercise(client, 4);
  });

  test("exports are listed and described", async () => {
    const peer = await startWithImage("raw");
    expect(await listExports(optionsFor(peer))).toEqual([{ name: "disk", description: "what it is" }]);
    const described = await describeExport(optionsFor(peer), "disk");
    expect(described).toMatchObject({ sizeBytes: 8 * MiB, name: "disk", description: "what it is" });
    expect(described.contextNames).toEqual(["base:allocation", "qemu:allocation-depth"]);
    await expect(describeExport(optionsFor(peer), "other")).rejects.toThrow('the export "other": no such export');
  });

  test("several contexts tell of the same range, each in its own words", async () => {
    const peer = await startWithImage("qcow2");
    await using client = await connect(optionsFor(peer));
    expect(client.contexts).toEqual(["base:allocation", "qemu:allocation-depth"]);
    await client.write(MiB, Buffer.alloc(MiB, 1));
    const status = await client.blockStatus(0, 8 * MiB);
    const runs = (name: string) => status.get(name)?.map(({ lengthBytes, status }) => [lengthBytes, status]);
    expect(runs("base:allocation")).toEqual([
      [MiB, 3],
      [MiB, 0],
      [6 * MiB, 3],
    ]);
    expect(runs("qemu:allocation-depth")).toEqual([
      [MiB, 0],
      [MiB, 1],
      [6 * MiB, 0],
    ]);
  });

  test("an unfragmented read, a trim and a cached range are taken", async () => {
    const peer = await startWithImage("raw");
    await using client = await connect(optionsFor(peer));
    await client.write(0, Buffer.alloc(65536, 7));
    await client.cache(0, 65536);
    expect((await client.read(0, 131072, { doNotFragment: true })).subarray(0, 65536)).toEqual(Buffer.alloc(65536, 7));
    await client.trim(0, 65536, { fua: true });
    await client.flush();
    expect(client.failure).toBeUndefined();
  });

  test("several connections to one export see each other's writes", async () => {
    const peer = await startWithImage("raw");
    await using writer = await connect(optionsFor(peer));
    await using reader = await connect(optionsFor(peer));
    expect(writer.flags.canMultiConn).toBe(true);
    await writer.write(4096, Buffer.from("seen"));
    expect((await reader.read(4096, 4)).toString()).toBe("seen");
  });
});
