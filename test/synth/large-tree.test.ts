/** Trees of several heights: a volume of 16 TiB, of which some places are written densely and others hardly. */
import { expect, test } from "vitest";
import type { Snapshot } from "#src/synth/snapshot.ts";
import { SnapshotWorld } from "./snapshot-world.ts";
import { countedLeavesOf, toldLeavesOf, toldNodesOf, usedNodesOf } from "./tree-counts.ts";
import { VolumeWriter, volumeBlocks, wronglyScanned } from "./volume-writer.ts";

async function written(seed: number, count: number) {
  const world = new SnapshotWorld(seed);
  const writer = new VolumeWriter(seed);
  await world.sealUnits(Array.from({ length: count }, () => writer.write(writer.start(), 1)));
  return { world, writer, first: await world.synthesize(undefined, world.lastSeq) };
}

test("trees of several heights say what was written, however they came about", async () => {
  for (const seed of [2]) {
    const world = new SnapshotWorld(seed);
    const writer = new VolumeWriter(seed);
    let snapshot: Snapshot | undefined;
    for (const count of [22_000, 500, 1, 20, 200]) {
      const units = Array.from({ length: count }, () => {
        const isTrim = count < 5000 && writer.random.chance(0.002);
        if (isTrim) return writer.trim(writer.start(), writer.random.integerBelow(2 ** 14));
        return writer.write(writer.start(), writer.random.pick([1, 1, 1, 8, 20]));
      });
      await world.sealUnits(units);
      snapshot = await world.synthesize(snapshot, world.lastSeq);
      expect(await wronglyScanned(snapshot, writer.content)).toEqual([]);
      expect(toldNodesOf(snapshot)).toEqual(await usedNodesOf(snapshot));
      expect(toldLeavesOf(snapshot)).toEqual(await countedLeavesOf(snapshot));
      for (let look = 0; look < 100; look++) {
        const block = writer.start();
        const { address, seq } = await snapshot.lookup(1, block);
        expect(address === 0 ? undefined : `${address} by ${seq}`).toBe(writer.content.get(block));
      }
    }
    expect(snapshot?.volume(1)?.layers[0]?.height).toBe(2);
  }
});

test("what a change costs follows from the change, not from the 16 TiB around it", async () => {
  const { world, writer, first } = await written(9, 20_000);
  await world.sealUnits([writer.write(2 ** 31 + 77, 1), writer.write(5, 1), writer.trim(2 ** 20 + 100, 50)]);
  const { objects } = world.maker;
  objects.readCount = 0;
  objects.readBytes = 0;
  const second = await world.synthesize(first, world.lastSeq);
  expect(first.sizeBytes).toBeGreaterThan(60_000);
  expect(second.numbers.nodeCount).toBeLessThanOrEqual(3 * 2 + 1);
  expect(second.sizeBytes).toBeLessThan(16 * 1024);
  expect(objects.readCount).toBeLessThan(40);
  expect(objects.readBytes).toBeLessThan(96 * 1024);
});

test("what is cut off whole is not read, but for the nodes above its leaves, and is let go of with the next changes", async () => {
  const { world, writer, first } = await written(10, 20_000);
  await world.sealUnits([writer.trim(0, volumeBlocks), writer.write(7, 1)]);
  const second = await world.synthesize(first, world.lastSeq);
  expect(await wronglyScanned(second, writer.content)).toEqual([]);
  await world.sealUnits([writer.write(9, 1)]);
  world.maker.objects.readCount = 0;
  const third = await world.synthesize(second, world.lastSeq);
  expect(world.maker.objects.readCount).toBeLessThan(first.numbers.nodeCount / 8);
  expect(await wronglyScanned(third, writer.content)).toEqual([]);
  expect(third.sources).toEqual([]);
  expect(third.volume(1)?.layers.map(({ leafCount }) => leafCount)).toEqual([1]);
});

test("the same changes cost the same on a small volume and on a large one, and read none of its leaves", async () => {
  const costs: { readonly bytes: number; readonly reads: number }[] = [];
  for (const count of [3000, 60_000]) {
    const world = new SnapshotWorld(4);
    const writer = new VolumeWriter(4);
    const blocks = Array.from({ length: count }, (_, at) => at).sort(() => writer.random.integerBelow(3) - 1);
    await world.sealUnits(blocks.map((block) => writer.write(block, 1)));
    const first = await world.synthesize(undefined, world.lastSeq);
    await world.sealUnits(Array.from({ length: 300 }, () => writer.write(writer.random.integerBelow(3000), 1)));
    world.maker.objects.readCount = 0;
    const second = await world.synthesizeHurried(first);
    costs.push({ bytes: second.sizeBytes, reads: world.maker.objects.readCount });
    expect(await wronglyScanned(second, writer.content)).toEqual([]);
  }
  const [small, large] = costs as [(typeof costs)[0], (typeof costs)[0]];
  expect(large.bytes / 300).toBeLessThan(0.15 * 4096);
  expect(large.bytes).toBeLessThan(1.5 * small.bytes);
  expect(large.reads).toBeLessThan(20);
});
