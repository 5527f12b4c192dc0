import { expect, test } from "vitest";
import { snapshotSourcesMany } from "#src/core/store-limits.ts";
import type { Snapshot } from "#src/synth/snapshot.ts";
import { SnapshotWorld } from "./snapshot-world.ts";
import { toldNodesOf, usedNodesOf } from "./tree-counts.ts";
import { VolumeWriter, wronglyScanned } from "./volume-writer.ts";

test("an object of which less than a quarter is used is let go of, and nothing of it is lost", async () => {
  const world = new SnapshotWorld(21);
  const writer = new VolumeWriter(21);
  await world.sealUnits(Array.from({ length: 12_000 }, (_, at) => writer.write(3 * at, 1)));
  const first = await world.synthesize(undefined, world.lastSeq);
  let snapshot: Snapshot = first;
  const shares: number[] = [];
  for (let round = 0; round < 8 && (round === 0 || shares.at(-1) !== 0); round++) {
    const from = round * 5000;
    await world.sealUnits(Array.from({ length: 500 }, (_, at) => writer.write(from + 10 * at, 1)));
    snapshot = await world.synthesize(snapshot, world.lastSeq);
    const used = snapshot.sources.find(({ seq }) => seq === first.seq);
    shares.push((used?.usedBytes ?? 0) / first.numbers.nodeBytes);
    expect(toldNodesOf(snapshot)).toEqual(await usedNodesOf(snapshot));
  }
  expect(shares.at(-2)).toBeGreaterThan(0);
  expect(shares.at(-2)).toBeLessThan(0.25);
  expect(shares.at(-1)).toBe(0);
  world.maker.objects.bytes.delete(first.name);
  expect(await wronglyScanned(snapshot, writer.content)).toEqual([]);
});

test("one who only ever adds does not come to point into ever more objects", async () => {
  const world = new SnapshotWorld(22);
  const writer = new VolumeWriter(22);
  let snapshot: Snapshot | undefined;
  for (let round = 0; round < snapshotSourcesMany + 60; round++) {
    await world.sealUnits(Array.from({ length: 100 }, (_, at) => writer.write(200 * round + 2 * at, 1)));
    snapshot = await world.synthesizeNext(snapshot);
  }
  expect(snapshot?.sources.length).toBeLessThanOrEqual(snapshotSourcesMany + 1);
  expect(toldNodesOf(snapshot as Snapshot)).toEqual(await usedNodesOf(snapshot as Snapshot));
  expect(await wronglyScanned(snapshot as Snapshot, writer.content)).toEqual([]);
});
