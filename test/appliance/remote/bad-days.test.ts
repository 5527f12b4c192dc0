import { expect, test } from "vitest";
import { batchHeaderBytes, blockBytes, MiB } from "#src/core/limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { recordType } from "#src/records/record.ts";
import { epochBatch, payloadOf, wireBatch } from "#test/journals/wire-batch.ts";
import { promisesSettled } from "#test/sim/sim-clock.ts";
import type { LocalPeer } from "./remote-world.ts";
import { groupA, groupB, hello, RemoteWorld } from "./remote-world.ts";

async function started(options: ConstructorParameters<typeof RemoteWorld>[1] = {}): Promise<RemoteWorld> {
  const world = new RemoteWorld(1, options);
  await world.start();
  return world;
}

/** Records of their own metadata batches, 1 to `count`. */
function sendOneByOne(peer: LocalPeer, count: number): void {
  for (let seq = 1; seq <= count; seq++) peer.send(wireBatch({ firstSeq: seq }, [{ startBlock: seq }]));
}

/** The bytes of the only piece of metadata, changed and written back. */
function spoilPiece(world: RemoteWorld, offset: number): void {
  const [basePosition] = world.folder().pieces(world.host.files);
  world.host.disk.fileAt(world.folder().piecePath(basePosition as number)).flipBit(offset, 3);
}

const pieceHeaderBytes = 512;
const versionAt = 4;
const headerSumAt = 64;
const batchSpan = 512;

async function restarted(world: RemoteWorld): Promise<void> {
  world.host.kill();
  await world.start();
}

test("fault 4: a process that dies between payload and metadata leaves a payload that nobody sees", async () => {
  const world = new RemoteWorld(1);
  world.hook = (name) => {
    if (name === "remote.after-data") throw new Error("dies");
  };
  await world.start();
  const peer = await world.connect();
  expect(() => peer.send(wireBatch({ firstSeq: 1 }, [{ content: 1 }]))).toThrow();
  world.hook = undefined;
  await restarted(world);
  const again = await world.connect(hello({ life: 2 }));
  expect(again.welcome.received).toBe(0);
  again.send(wireBatch({ firstSeq: 1 }, [{ content: 2 }]));
  expect(world.content(1)[0]?.payload).toEqual(payloadOf(2, 1));
  expect(world.folder().segments(world.host.files).length).toBe(2);
});

test("fault 3: what was synced when the process died before it could say so is there", async () => {
  const world = new RemoteWorld(1);
  await world.start();
  const peer = await world.connect();
  sendOneByOne(peer, 3);
  peer.owner.askDurable(3);
  world.host.disk.faults.latencyMsMax = 0;
  while (peer.last.durable < 3) world.simulation.clock.step();
  world.host.cutPower();
  await world.start();
  expect((await world.connect(hello({ life: 2 }))).welcome).toMatchObject({ received: 3, durable: 3 });
});

test("nothing is said to be received before the read that brought it is through", async () => {
  const world = await started();
  const peer = await world.connect();
  const batch = wireBatch({ firstSeq: 1 }, [{}]);
  peer.owner.batches(batch, 0, batch.length);
  peer.owner.askDurable(1);
  await world.driver.quiet();
  expect(peer.marks).toEqual([]);
  peer.owner.endOfRead();
  await world.driver.until(() => peer.last.durable === 1);
});

test("fault 11: a bad batch beyond what was promised is dropped, and sound ones behind it with it", async () => {
  const world = await started();
  const peer = await world.connect();
  sendOneByOne(peer, 2);
  await world.durable(peer, 2);
  for (const seq of [3, 4, 5]) peer.send(wireBatch({ firstSeq: seq }, [{}]));
  spoilPiece(world, pieceHeaderBytes + 3 * batchSpan + 80);
  await restarted(world);
  expect(world.appliance.status()).toMatchObject([{ state: "open", received: 3, durable: 3 }]);
});

test("fault 11: a jump to a new epoch does not bridge what is missing before it", async () => {
  const world = await started();
  const peer = await world.connect(hello({ epoch: 2 }));
  sendOneByOne(peer, 3);
  peer.send(epochBatch(2, 100, 1, 3));
  spoilPiece(world, pieceHeaderBytes + batchSpan + 80);
  await restarted(world);
  expect(world.appliance.status()).toMatchObject([{ state: "open", received: 1 }]);
});

test("fault 12: a bad batch before what was promised stops the group, and nothing is cut off", async () => {
  const world = await started();
  const peer = await world.connect();
  sendOneByOne(peer, 2);
  await world.durable(peer, 2);
  // This one says that those before it were durable.
  peer.send(wireBatch({ firstSeq: 3 }, [{}]));
  spoilPiece(world, pieceHeaderBytes + batchSpan + 80);
  const [basePosition] = world.folder().pieces(world.host.files) as [number];
  const sizeBytes = world.host.files.open(world.folder().piecePath(basePosition), "read").sizeBytesNow();
  for (let round = 0; round < 3; round++) {
    await restarted(world);
    expect(world.appliance.status()).toMatchObject([{ state: "stopped", why: expect.stringContaining("is damaged") }]);
    await expect(world.connect(hello({ life: 2 }))).rejects.toMatchObject({ name: "StopError" });
  }
  expect(world.host.files.open(world.folder().piecePath(basePosition), "read").sizeBytesNow()).toBe(sizeBytes);
});

test("fault 12: the last durable record, too, is missed when it is damaged, since it was noted", async () => {
  const world = await started();
  const peer = await world.connect();
  sendOneByOne(peer, 3);
  await world.stop();
  spoilPiece(world, pieceHeaderBytes + 2 * batchSpan + 80);
  await world.start();
  expect(world.appliance.status()).toMatchObject([{ state: "stopped", why: expect.stringContaining("up to 3") }]);
});

test("fault 12: a durable piece that has disappeared is missed", async () => {
  const world = await started();
  const peer = await world.connect();
  sendOneByOne(peer, 3);
  await world.stop();
  const [basePosition] = world.folder().pieces(world.host.files) as [number];
  world.host.files.remove(world.folder().piecePath(basePosition));
  await world.start();
  expect(world.appliance.status()).toMatchObject([{ state: "stopped" }]);
});

test("fault 18: one bit the other way round anywhere in the metadata never changes what is read", async () => {
  const world = await started();
  const peer = await world.connect();
  sendOneByOne(peer, 3);
  await world.durable(peer, 3);
  const expected = world.content(3).map(({ record }) => JSON.stringify(record));
  for (let offset = 0; offset < pieceHeaderBytes + 3 * batchSpan; offset += offset % 512 < 130 ? 1 : 61) {
    spoilPiece(world, offset);
    let found: string[] = [];
    try {
      found = world.content(3).map(({ record }) => JSON.stringify(record));
    } catch (error) {
      expect(["StopError", "RefuseError"]).toContain((error as Error).name);
    }
    if (found.length > 0) expect(found).toEqual(expected);
    spoilPiece(world, offset);
  }
});

test("faults 18 and 19: damage to blocks or sums is an error for exactly those blocks", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{ startBlock: 100, blockCount: 4 }]));
  await world.durable(peer, 1);
  const [segment] = world.folder().segments(world.host.files) as [number];
  const data = world.host.disk.fileAt(world.folder().dataPath(segment));
  const sums = world.host.disk.fileAt(world.folder().sumsPath(segment));
  data.flipBit(blockBytes + 9, 1);
  expect(() => world.content(1)).toThrow(expect.objectContaining({ blocks: [101] }));
  data.flipBit(blockBytes + 9, 1);
  for (let at = 0; at < 16; at++) {
    sums.flipBit(512 + 3 * 16 + at, 5);
    expect(() => world.content(1), `byte ${at}`).toThrow(expect.objectContaining({ blocks: [103] }));
    sums.flipBit(512 + 3 * 16 + at, 5);
  }
  data.damage(2 * blockBytes, 512);
  expect(() => world.content(1)).toThrow(expect.objectContaining({ blocks: [102] }));
});

test("fault 19: a block and its sum that lie in another's place are found, though they fit each other", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{ startBlock: 1 }, { startBlock: 2 }]));
  await world.durable(peer, 2);
  const [segment] = world.folder().segments(world.host.files) as [number];
  for (const [path, start, lengthBytes] of [
    [world.folder().dataPath(segment), 0, blockBytes],
    [world.folder().sumsPath(segment), 512, 16],
  ] as const) {
    const handle = world.host.files.open(path, "readWrite");
    const bytes = Buffer.alloc(lengthBytes);
    handle.readNow(bytes, 0, lengthBytes, start);
    handle.writeNow(bytes, 0, lengthBytes, start + lengthBytes);
    handle.close();
  }
  expect(() => world.content(2)).toThrow(expect.objectContaining({ blocks: [2] }));
});

test("fault 13: a sync that fails stops the group, is not tried again, and promises nothing", async () => {
  const world = await started();
  const peer = await world.connect();
  sendOneByOne(peer, 2);
  world.host.disk.failNext("sync");
  peer.owner.askDurable(2);
  await world.driver.until(() => peer.closedWhy !== undefined);
  expect(peer.closedWhy).toMatch(/stopped.*EIO/);
  expect(peer.last.durable).toBe(0);
  await world.driver.quiet();
  expect(world.appliance.status()).toMatchObject([
    { state: "stopped", durable: 0, why: expect.stringContaining("EIO") },
  ]);
  await expect(world.connect()).rejects.toMatchObject({ name: "StopError" });
});

test("a write that fails stops the group, and the others go on", async () => {
  const world = await started();
  const peer = await world.connect();
  const other = await world.connect(hello({ group: groupB }));
  sendOneByOne(peer, 1);
  world.host.disk.failNext("write");
  expect(() => peer.send(wireBatch({ firstSeq: 2 }, [{}]))).toThrow(/stopped/);
  other.send(wireBatch({ firstSeq: 1 }, [{}]));
  await world.durable(other, 1);
  expect(world.appliance.status().map(({ id, state, received }) => [id, state, received])).toEqual([
    [groupA, "stopped", 1],
    [groupB, "open", 1],
  ]);
});

test("fault 16: a full disk loses and doubles nothing, wherever it becomes full, and all goes on when there is room", async () => {
  for (let blocks = 0; blocks < 6; blocks++) {
    const world = await started({ fullProbeMs: 100 });
    const peer = await world.connect();
    sendOneByOne(peer, 2);
    await fillDisk(world, blocks, peer);
    expect(world.appliance.status()).toMatchObject([{ state: "full", why: expect.stringContaining("ENOSPC") }]);
    world.host.disk.faults.capacityBytes = 0;
    await expect(world.connect()).rejects.toMatchObject({ name: "RetryError" });
    world.simulation.clock.advance(1000);
    await expect(world.connect()).rejects.toMatchObject({ name: "RetryError" });
    world.host.disk.faults.capacityBytes = 1000 * MiB;
    await world.driver.until(() => world.appliance.status()[0]?.state === "open");
    const again = await world.connect();
    for (let seq = again.welcome.received + 1; seq <= 6; seq++)
      again.send(wireBatch({ firstSeq: seq }, [{ startBlock: seq }]));
    await world.durable(again, 6);
    expect(world.content(6).map(({ record }) => record.seq)).toEqual([1, 2, 3, 4, 5, 6]);
  }
});

/** The disk becomes full so many blocks further on. */
async function fillDisk(world: RemoteWorld, blocks: number, peer: LocalPeer): Promise<void> {
  world.host.disk.faults.capacityBytes = world.host.disk.spaceBytes + blocks * blockBytes;
  expect(() => {
    for (let seq = 3; seq < 100; seq++) peer.send(wireBatch({ firstSeq: seq }, [{ startBlock: seq }]));
  }).toThrow(/no room/);
  await world.driver.until(() => peer.closedWhy !== undefined);
}

test("a group that was full leaves no file open behind it", async () => {
  const world = await started({ fullProbeMs: 100 });
  const peer = await world.connect();
  sendOneByOne(peer, 2);
  await fillDisk(world, 3, peer);
  world.host.disk.faults.capacityBytes = 1000 * MiB;
  await world.driver.until(() => world.appliance.status()[0]?.state === "open");
  await world.stop();
  const folder = world.folder();
  for (const path of [folder.metadataPath, folder.segmentsPath]) {
    for (const name of world.host.files.list(path)) world.host.files.remove(`${path}/${name}`);
  }
  // A file without a name takes room for as long as somebody has it open.
  const documentsBytes = 2 * blockBytes;
  expect(world.host.disk.spaceBytes).toBeLessThanOrEqual(documentsBytes);
});

test("fault 9: killed again and again while the journals are opened, the outcome is the same", async () => {
  const world = await started();
  const peer = await world.connect();
  sendOneByOne(peer, 2);
  await world.durable(peer, 2);
  for (const seq of [3, 4, 5]) peer.send(wireBatch({ firstSeq: seq }, [{}]));
  spoilPiece(world, pieceHeaderBytes + 3 * batchSpan + 80);
  for (let events = 0; events < 25; events++) {
    world.host.kill();
    void world.start().catch(() => {});
    await promisesSettled();
    for (let event = 0; event < events; event++) {
      world.simulation.clock.step();
      await promisesSettled();
    }
  }
  await restarted(world);
  expect(world.appliance.status()).toMatchObject([{ state: "open", received: 3, durable: 3 }]);
  expect(world.content(3).length).toBe(3);
});

test("fault 29: a state, a piece or sums of another version are refused in words, and left as they are", async () => {
  const world = await started();
  const peer = await world.connect();
  sendOneByOne(peer, 1);
  await world.durable(peer, 1);
  world.host.kill();
  const [basePosition] = world.folder().pieces(world.host.files) as [number];
  const piece = world.host.files.open(world.folder().piecePath(basePosition), "readWrite");
  const header = Buffer.alloc(pieceHeaderBytes);
  piece.readNow(header, 0, header.length, 0);
  header.writeUInt16LE(2, versionAt);
  putChecksum(header, 0, headerSumAt, header, headerSumAt);
  piece.writeNow(header, 0, header.length, 0);
  await world.start();
  expect(world.appliance.status()).toMatchObject([{ state: "stopped", why: expect.stringContaining("version 2") }]);
});

test("fault 18: a flipped bit in the header of a piece costs no record, though nothing there says yet what is durable", async () => {
  for (const offset of [0, versionAt, 10, 24, 40, 50, headerSumAt, pieceHeaderBytes - 1]) {
    const world = await started();
    const peer = await world.connect();
    sendOneByOne(peer, 2);
    await world.durable(peer, 2);
    world.host.kill();
    spoilPiece(world, offset);
    await world.start();
    expect(world.appliance.status()).toMatchObject([{ state: "open", received: 2, durable: 2 }]);
    expect(world.content(2).length).toBe(2);
  }
});

test("fault 33: a record that is not of this program's making is refused at the door", async () => {
  const world = await started();
  const peer = await world.connect();
  const batch = wireBatch({ firstSeq: 1 }, [{ type: recordType.flush, blockCount: 0 }]);
  batch[batchHeaderBytes] = 99;
  expect(() => peer.send(batch)).toThrow(/did not arrive/);
});
