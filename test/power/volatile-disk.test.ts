/** The disk behind the file systems, by itself, served to our own client. */
import fs from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { connect } from "#src/nbd/client/connect.ts";
import { NbdServer } from "#src/nbd/server.ts";
import { type TemporaryFolder, temporaryFolder } from "#test/clients/harness.ts";
import { KiB } from "#test/clients/image.ts";
import { type Fate, pieceBytes, sectorBytes, VolatileDisk } from "./volatile-disk.ts";

interface Powered {
  readonly disk: VolatileDisk;
  readonly client: NbdClient;
}

let served = 0;

async function powerUp(folder: TemporaryFolder): Promise<Powered> {
  const image = fs.openSync(folder.file("image"), fs.constants.O_RDWR | fs.constants.O_CREAT);
  fs.ftruncateSync(image, 256 * KiB);
  const disk = new VolatileDisk(image);
  const server = new NbdServer({
    exports: { find: () => disk, list: () => [disk] },
    sockets: nodeSockets,
    clock: nodeClock,
  });
  const address = await server.listen({ kind: "unix", path: folder.file(`socket-${++served}`) });
  onTestFinished(async () => {
    await server.close(0);
    fs.closeSync(image);
  });
  const client = await connect({ address, sockets: nodeSockets, clock: nodeClock, exportName: "" });
  return { disk, client };
}

/** A piece is made of sectors that each say which writing they are of. */
function writing(number: number): Buffer {
  return Buffer.alloc(pieceBytes, number);
}

test("what was written is read back before it is durable, and is durable after a flush", async () => {
  const folder = await temporaryFolder();
  const first = await powerUp(folder);
  await first.client.write(pieceBytes - 100, writing(7));
  expect(await first.client.read(pieceBytes - 100, pieceBytes)).toEqual(writing(7));
  expect(fs.readFileSync(folder.file("image"))).toEqual(Buffer.alloc(256 * KiB));
  await first.client.flush();
  first.disk.cut(1);
  const second = await powerUp(folder);
  expect(await second.client.read(pieceBytes - 100, pieceBytes)).toEqual(writing(7));
});

test("a write with FUA is durable, and alone", async () => {
  const folder = await temporaryFolder();
  const { disk, client } = await powerUp(folder);
  await client.write(0, writing(1));
  await client.write(pieceBytes, writing(2), { fua: true });
  expect(disk.unflushedPieces).toBe(1);
});

test("after a cut nothing is answered well, and nothing reaches the image", async () => {
  const folder = await temporaryFolder();
  const { disk, client } = await powerUp(folder);
  disk.cut(1);
  await expect(client.write(0, writing(1))).rejects.toThrow(/EIO|input\/output/i);
  await expect(client.read(0, pieceBytes)).rejects.toThrow();
  await expect(client.flush()).rejects.toThrow();
  expect(fs.readFileSync(folder.file("image"))).toEqual(Buffer.alloc(256 * KiB));
});

test("a flush in the middle of which the power goes is not answered well", async () => {
  const folder = await temporaryFolder();
  const { disk, client } = await powerUp(folder);
  disk.cutAfter(2, 1);
  await client.write(0, writing(1));
  await expect(client.flush()).rejects.toThrow();
  expect(disk.isCut).toBe(true);
});

test("unflushed writes meet every fate: lost, kept, an older writing, torn between writings", async () => {
  const met = new Set<Fate | "mixed sectors">();
  for (let seed = 0; seed < 20; seed++) {
    const folder = await temporaryFolder();
    const { disk, client } = await powerUp(folder);
    for (const number of [1, 2, 3]) {
      for (let piece = 0; piece < 16; piece++) await client.write(piece * pieceBytes, writing(number));
    }
    const losses = disk.cut(seed);
    for (const fate of ["lost", "kept", "older", "torn"] as const) if (losses[fate] > 0) met.add(fate);
    const image = fs.readFileSync(folder.file("image"));
    for (let at = 0; at < 16 * pieceBytes; at += sectorBytes) {
      const sector = image.subarray(at, at + sectorBytes);
      expect(sector).toEqual(Buffer.alloc(sectorBytes, image[at]));
      if (at % pieceBytes !== 0 && image[at] !== image[at - sectorBytes]) met.add("mixed sectors");
    }
  }
  expect([...met].sort()).toEqual(["kept", "lost", "mixed sectors", "older", "torn"]);
});

test("the same seed leaves the same", async () => {
  const images: Buffer[] = [];
  for (let time = 0; time < 2; time++) {
    const folder = await temporaryFolder();
    const { disk, client } = await powerUp(folder);
    for (let number = 1; number < 60; number++) await client.write((number % 13) * pieceBytes, writing(number));
    disk.cut(3);
    images.push(fs.readFileSync(folder.file("image")));
  }
  expect(images[0]).toEqual(images[1]);
});
