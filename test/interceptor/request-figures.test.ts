/** What a volume counts of its host's requests: how long they took, and which ones failed. */
import { expect, test } from "vitest";
import type { DurationCounts } from "#src/core/duration-counts.ts";
import { blockBytes } from "#src/core/limits.ts";
import { command } from "#src/nbd/constants.ts";
import { flag, request, type } from "#test/hostile/client-bytes.ts";
import { MemoryServer } from "#test/hostile/memory-server.ts";
import { RecordedRequest } from "#test/nbd/recorded-request.ts";
import { ReluctantSource } from "./reluctant-source.ts";
import { filled, VolumeWorld } from "./volume-world.ts";

const payload = filled(blockBytes, 7);

/** By the bounds, in milliseconds, of those that are not empty. */
function told(counts: DurationCounts): Record<string, number> {
  const { boundsSeconds, counts: all } = counts.figures;
  const pairs = all.map((count, index) => [String((boundsSeconds[index] ?? Number.POSITIVE_INFINITY) * 1000), count]);
  return Object.fromEntries(pairs.filter(([, count]) => count !== 0));
}

async function warm(): Promise<VolumeWorld> {
  const world = await VolumeWorld.opened();
  await world.warmUp();
  return world;
}

test("writes that are answered within their batch count as the batch took", async () => {
  const world = await warm();
  const { writeDurations } = world.volume.figures;
  const before = told(writeDurations);
  world.batch([0, 1, 2].map((at) => new RecordedRequest({ command: command.write, offset: at * blockBytes, payload })));
  expect(told(writeDurations)).toEqual({ ...before, "0.05": 3 });
  world.write(0, payload);
  expect(told(writeDurations)).toEqual({ ...before, "0.05": 4 });
});

test("a write that waits for the appliance counts with all of the wait, and a FLUSH with its own", async () => {
  const world = await warm();
  const { writeDurations, flushDurations } = world.volume.figures;
  const before = told(writeDurations);
  world.links.acknowledgesAtOnce = false;
  world.links.flushesAtOnce = false;
  world.write(0, payload);
  const flush = world.flush();
  await world.pass(20);
  expect([told(writeDurations), told(flushDurations)]).toEqual([before, {}]);
  world.links.current?.acknowledgeAll();
  await world.pass(60);
  for (const flushed of world.links.current?.owedFlushes ?? []) flushed(null);
  await world.pass(20);
  expect(flush.error).toBe(0);
  expect(told(writeDurations)).toEqual({ ...before, "25": 1 });
  expect(told(flushDurations)).toEqual({ "100": 1 });
});

test("what the source has to read for hosts is counted until it has: reads, and the edges of writes", async () => {
  const world = new VolumeWorld();
  let reluctant: ReluctantSource | undefined;
  world.wrap = (source) => {
    reluctant = new ReluctantSource(source, () => true);
    return reluctant;
  };
  await world.open();
  await world.warmUp();
  const { figures } = world.volume;
  const counted = () => [figures.slowReads, figures.slowReadsEnded];
  expect(world.submit({ command: command.read, length: blockBytes }).error).toBe(0);
  expect(counted()).toEqual([0, 0]);
  const held: (() => void)[] = [];
  (reluctant as ReluctantSource).heldReads = held;
  const read = world.submit({ command: command.read, length: blockBytes });
  const write = world.write(8 * blockBytes + 512, filled(512, 3));
  await world.pass(20);
  expect([counted(), read.error, write.error]).toEqual([[2, 0], undefined, undefined]);
  for (const begin of held.splice(0)) begin();
  await world.pass(20);
  expect([counted(), read.error, write.error]).toEqual([[2, 2], 0, 0]);
});

test("trims are no writes, and what fails took no time", async () => {
  const world = await warm();
  const before = told(world.volume.figures.writeDurations);
  world.trim(0, blockBytes);
  world.host.disk.failNext("write");
  world.write(0, payload);
  await world.pass(20);
  expect(told(world.volume.figures.writeDurations)).toEqual(before);
});

test("what is answered with an error is counted by what it was; what was never valid is not the volume's", async () => {
  const world = await warm();
  const server = await MemoryServer.serving(world.volume);
  const client = server.open("extended", ["base:allocation"]);
  world.host.disk.failNext("write");
  const write = (cookie: bigint, offset: number) =>
    request("extended", { type: type.write, cookie, offset, payload, flags: flag.payload });
  client.say(write(1n, 0));
  await world.pass(20);
  client.say(write(2n, 0));
  client.say(request("extended", { type: type.flush, cookie: 3n }));
  client.say(write(4n, world.sizeBytes));
  expect(client.replies().map(({ error }) => error)).toEqual([5, 5, 5, expect.any(Number)]);
  const { failedReads, failedWrites, failedFlushes } = world.volume.figures;
  expect([failedReads, failedWrites, failedFlushes]).toEqual([0, 2, 1]);
});
