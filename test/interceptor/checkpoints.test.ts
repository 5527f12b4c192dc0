/** How marks go, and how far the source is said to be durable. */
import { expect, test } from "vitest";
import { blockBytes, MiB } from "#src/core/limits.ts";
import { nbdError } from "#src/nbd/constants.ts";
import { filled, VolumeWorld } from "./volume-world.ts";

const payload = filled(blockBytes, 7);
const options = { checkpointMs: 1_000, checkpointBytes: 100 * MiB } as const;
const sizeBytes = 40 * MiB;

async function opened(): Promise<VolumeWorld> {
  const world = await VolumeWorld.opened({ options, sizeBytes, isSparse: true });
  world.links.flushesAtOnce = false;
  return world;
}

async function payFlushes(world: VolumeWorld): Promise<void> {
  for (const done of world.links.current?.owedFlushes.splice(0) ?? []) done(null);
  await world.pass(10);
}

test("while a full spool takes no flush, it is told of all that the source gets meanwhile: only that makes room", async () => {
  const world = await opened();
  world.write(0, payload);
  await world.pass(2_000);
  expect(world.links.reported.at(-1)).toBe(1);
  world.write(0, payload);
  world.write(4096, payload);
  await world.pass(1_200);
  expect([world.links.reported.at(-1), world.volume.status().durableOrdinal]).toEqual([3, 3]);
  const { flushCount } = world.links;
  await world.pass(5_000);
  expect([world.links.flushCount, world.volume.status().markedRegions]).toEqual([flushCount, 17]);
  await payFlushes(world);
  expect(world.links.reported.at(-1)).toBe(3);
});

test("the appliance is told only when spool, source and map are durable, in this order", async () => {
  const world = await opened();
  world.write(0, payload);
  await world.pass(20);
  const reportedBefore = world.links.reported.length;
  const { disk } = world.host;
  await world.pass(1_000);
  const source = disk.fileAt("/source");
  expect([world.links.reported.length, world.volume.status().durableOrdinal]).toEqual([reportedBefore, 0]);
  for (const done of world.links.current?.owedFlushes.splice(0) ?? []) done(null);
  disk.stall(500);
  await world.pass(400);
  expect(world.links.reported.length).toBe(reportedBefore);
  await world.pass(200);
  expect([world.links.reported.at(-1), world.volume.status().durableOrdinal]).toEqual([1, 1]);
  expect(source.settledCount).toBe(source.changeCount);
});

test("enough bytes are as good a reason as time", async () => {
  const world = await VolumeWorld.opened({ options: { checkpointMs: 1e9, checkpointBytes: 4 * blockBytes } });
  await world.warmUp();
  const before = world.links.reported.length;
  for (let block = 0; block < 5; block++) world.write(block * blockBytes, payload);
  await world.pass(50);
  expect(world.links.reported.length).toBeGreaterThan(before);
});

test("where enough bytes are the reason, the source alone is made durable, and nothing is asked of the spool", async () => {
  const world = await VolumeWorld.opened({ options: { checkpointMs: 1e9, checkpointBytes: 4 * blockBytes } });
  await world.warmUp();
  world.links.flushesAtOnce = false;
  const source = world.host.disk.fileAt("/source");
  const [{ flushCount }, { settledCount }] = [world.links, source];
  for (let block = 0; block < 8; block++) world.write(block * blockBytes, payload);
  await world.pass(50);
  const { durableOrdinal, markedRegions } = world.volume.status();
  expect([world.links.flushCount, world.links.reported.at(-1)]).toEqual([flushCount, durableOrdinal]);
  expect([durableOrdinal > 8, source.settledCount > settledCount, markedRegions > 0]).toEqual([true, true, true]);
});

test("where the spool fills up, it is told also of what brought no bytes: it keeps what others wrote behind that", async () => {
  const world = await VolumeWorld.opened({ options: { checkpointMs: 1e9 } });
  world.links.pressure = 0.4;
  world.trim(0, MiB);
  await world.pass(50);
  expect([world.links.lastOrdinal, world.links.reported.at(-1)]).toEqual([1, 1]);
});

test("where the spool fills up, what came during a checkpoint has another one, though nothing more happens", async () => {
  const world = await VolumeWorld.opened({ options: { checkpointMs: 1e9 } });
  await world.warmUp();
  const before = world.links.lastOrdinal;
  const { disk } = world.host;
  world.links.pressure = 0.4;
  disk.stall(20);
  world.write(0, payload);
  await world.pass(10);
  world.write(0, payload);
  await world.pass(15);
  expect([world.links.lastOrdinal, world.links.reported.at(-1)]).toEqual([before + 2, before + 1]);
  await world.pass(1_000);
  expect(world.links.reported.at(-1)).toBe(before + 2);
});

test("marks of regions at rest go at the second checkpoint; then there is none any more", async () => {
  const world = await opened();
  world.write(0, payload);
  await world.pass(20);
  const marked = [world.volume.status().markedRegions];
  for (let round = 0; round < 4; round++) {
    await world.pass(1_000);
    await payFlushes(world);
    marked.push(world.volume.status().markedRegions);
  }
  expect(marked).toEqual([17, 17, 0, 0, 0]);
  expect(world.links.flushCount).toBe(2);
});

test("marks stay until the remote has durably what was written, and go then", async () => {
  const world = await VolumeWorld.opened({ options, sizeBytes, isSparse: true });
  const marked: number[] = [];
  for (const [ordinal, offset] of [
    [1, 0],
    [2, 30 * MiB],
  ] as const) {
    world.links.remoteOrdinal = ordinal - 1;
    world.write(offset, payload);
    await world.pass(5_000);
    marked.push(world.volume.status().markedRegions);
    world.links.remoteOrdinal = ordinal;
    world.links.current?.receiver.remoteDurable();
    await world.pass(3_000);
    marked.push(world.volume.status().markedRegions);
  }
  expect(marked).toEqual([17, 0, 10, 0]);
});

test("while the remote alone is behind, nothing is flushed again and again", async () => {
  const world = await VolumeWorld.opened({ options, sizeBytes, isSparse: true });
  world.links.remoteOrdinal = 0;
  world.write(0, payload);
  await world.pass(10_000);
  const { flushCount } = world.links;
  await world.pass(10_000);
  expect(world.links.flushCount).toBe(flushCount);
});

test("fault 10: what the remote lacks is marked after a loss of power, though source and spool had it", async () => {
  const world = await VolumeWorld.opened({ options, sizeBytes, isSparse: true });
  world.links.remoteOrdinal = 0;
  world.write(0, payload);
  await world.pass(5_000);
  world.cutPower();
  await world.open();
  expect(world.volume.status()).toMatchObject({ copy: { kind: "resync", regionsTotal: 17 } });
});

test("the mark of a region with a record in flight stays", async () => {
  const world = await opened();
  world.write(0, payload);
  await world.pass(20);
  world.links.acknowledgesAtOnce = false;
  const waiting = world.write(blockBytes, payload);
  for (let round = 0; round < 4; round++) {
    await world.pass(1_000);
    await payFlushes(world);
  }
  expect([waiting.error, world.volume.status().markedRegions, world.volume.status().durableOrdinal]).toEqual([
    undefined,
    1,
    1,
  ]);
});

test("the mark of a region that is written while a checkpoint is under way stays", async () => {
  const world = await opened();
  world.write(0, payload);
  await world.pass(20);
  await world.pass(1_000);
  await payFlushes(world);
  await world.pass(1_000);
  expect(world.write(0, payload).error).toBe(nbdError.ok);
  await payFlushes(world);
  expect(world.volume.status().markedRegions).toBe(1);
});

test("a source that cannot be synced fences the volume at a checkpoint too", async () => {
  const world = await opened();
  world.write(0, payload);
  await world.pass(20);
  await world.pass(970);
  world.host.disk.failNext("sync");
  await world.pass(100);
  expect(world.volume.status().state).toBe("fenced");
  expect(world.links.reported).toEqual([0]);
});

test("a clean stop leaves no marks, nothing to redo, and nobody attached", async () => {
  const world = await VolumeWorld.opened({ sizeBytes, isSparse: true });
  world.write(0, payload);
  await world.pass(20);
  await world.stop();
  expect(world.links.current).toBeUndefined();
  await world.open();
  expect(world.links.durableOrdinals.at(-1)).toBe(1);
  expect(world.volume.status()).toMatchObject({ state: "open", markedRegions: 0, durableOrdinal: 1 });
});

test("a stop lets come to its end what came in, but waits no longer than it may", async () => {
  const world = await VolumeWorld.opened({ sizeBytes, isSparse: true });
  world.links.acknowledgesAtOnce = false;
  const write = world.write(0, payload);
  await world.pass(20);
  const stopping = world.volume.stop(5_000);
  await world.pass(4_000);
  expect(write.error).toBeUndefined();
  await world.pass(2_000);
  await stopping;
  expect(write.error).toBe(nbdError.shutdown);
});
