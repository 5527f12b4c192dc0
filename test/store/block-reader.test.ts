import { expect, test } from "vitest";
import { StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { frameBlockCountMax, readBlockCountMax } from "#src/core/store-limits.ts";
import { addressOf } from "#src/records/address.ts";
import { driven } from "#test/contract/driver.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { origin, Segment, SegmentWorld } from "./segment-world.ts";

const volume = 3;

async function sealedSegments(count: number) {
  const world = await SegmentWorld.make(5);
  const store = await world.store(world.objects);
  const random = new SeededRandom(5);
  const segments = Array.from({ length: count }, (_, index) => new Segment(index + 1, random));
  for (const segment of segments) await driven(world.driver, store.seal(segment, origin));
  return { world, store, segments };
}

test("blocks in any order, of several segments and of none, come to lie in the order in which they were asked for", async () => {
  const { world, store, segments } = await sealedSegments(3);
  const random = new SeededRandom(9);
  const addresses = new Float64Array(readBlockCountMax);
  const volumes = new Uint32Array(readBlockCountMax).fill(volume);
  for (let block = 0; block < readBlockCountMax; block++) {
    addresses[block] = addressOf(random.between(1, 4), random.integerBelow(45));
    if (random.chance(0.1)) volumes[block] = 7;
  }
  const target = Buffer.alloc((readBlockCountMax + 2) * blockBytes, 0xee);
  const damaged = new Uint8Array(readBlockCountMax);
  const wanted = { count: readBlockCountMax, addresses, volumes };
  await driven(world.driver, store.reader.readBlocks(wanted, target, blockBytes, damaged));
  for (let block = 0; block < readBlockCountMax; block++) {
    const [segment, slot] = [Math.floor((addresses[block] as number) / 65_536), (addresses[block] as number) % 65_536];
    const expected = volumes[block] === volume ? segments[segment - 1]?.blocks[slot] : undefined;
    expect(damaged[block]).toBe(expected === undefined ? 1 : 0);
    const at = (block + 1) * blockBytes;
    if (expected !== undefined) expect(target.subarray(at, at + blockBytes).equals(expected)).toBe(true);
  }
  for (const edge of [0, (readBlockCountMax + 1) * blockBytes]) {
    expect(target.subarray(edge, edge + blockBytes).every((byte) => byte === 0xee)).toBe(true);
  }
});

test("a forward leads into a segment that others have sealed since, of which nobody has told", async () => {
  const { world, store } = await sealedSegments(1);
  const random = new SeededRandom(5);
  const [, second, third] = Array.from({ length: 3 }, (_, index) => new Segment(index + 1, random));
  const other = await world.store(world.objects);
  for (const segment of [second, third] as Segment[]) await driven(world.driver, store.seal(segment, origin));
  other.segments.published({ segment: 3, generation: 0 });
  expect(other.segments.has(2)).toBe(false);
  expect(await world.read(other, third as Segment)).toBe(0);
  expect(other.segments.has(2)).toBe(true);
});

test("fault 18: what the disk does not give costs the blocks that lie there, and not those that are read with them", async () => {
  const { world, segments } = await sealedSegments(1);
  const [segment] = segments as [Segment];
  const bad = 400;
  const { objects } = world;
  objects.read = async (name, buffer, position) => {
    if (position <= bad && position + buffer.length > bad) throw new StopError("the disk does not give it");
    return await world.inner.read(name, buffer, position);
  };
  expect(await world.read(await world.store(world.inner), segment)).toBe(0);
  const store = await world.store(objects);
  const run = { address: addressOf(segment.segment, 0), blockCount: segment.slotCount, volume };
  const damaged = await driven(world.driver, store.reader.read(run, Buffer.alloc(segment.slotCount * blockBytes), 0));
  const contents = new Set(damaged.map((slot) => segment.blocks[slot]?.toString("hex")));
  expect(contents.size).toBeGreaterThan(0);
  expect(contents.size).toBeLessThanOrEqual(frameBlockCountMax);
});
