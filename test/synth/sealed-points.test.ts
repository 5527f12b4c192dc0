import { expect, test } from "vitest";
import { RetryError } from "#src/core/errors.ts";
import { pointDamageMs, pointPagesBytes } from "#src/core/point-limits.ts";
import type { ReadableObjects } from "#src/store/objects.ts";
import { seqsOfSnapshots } from "#src/synth/history-names.ts";
import { KeptPages } from "#src/synth/kept-pages.ts";
import { SealedPoints } from "#src/synth/sealed-points.ts";
import { pieceGroup } from "#test/journals/sealed-pieces.ts";
import { PointWorld, storeFolder } from "./point-world.ts";

test("how far the newest piece reaches is told also where it could not be read at the first look", async () => {
  const world = await PointWorld.make(11);
  let isOut = false;
  const objects: ReadableObjects = {
    list: (prefix) => world.objects.list(prefix),
    sizeBytes: (name) => world.objects.sizeBytes(name),
    readDocument: (name) => world.objects.readDocument(name),
    close: () => world.objects.close(),
    read: async (name, target, position) => {
      if (isOut) throw new RetryError("the disk answers later");
      return await world.objects.read(name, target, position);
    },
  };
  const pages = new KeptPages(pointPagesBytes);
  const points = new SealedPoints({ objects, pages, key: undefined, group: pieceGroup, clock: world.host.clock });
  world.write(10);
  const first = await world.seal();
  await world.run(points.list(true));
  expect(points.lastSeq).toBe(first.numbers.lastSeq);
  world.write(10);
  const second = await world.seal();
  isOut = true;
  await expect(world.run(points.list(true))).rejects.toThrow("the disk answers later");
  expect([points.pieces.length, points.lastSeq]).toEqual([1, first.numbers.lastSeq]);
  isOut = false;
  await world.run(points.list(true));
  expect([points.pieces.length, points.lastSeq]).toEqual([2, second.numbers.lastSeq]);
});

test("a piece that was damaged tells what it has as soon as it was repaired", async () => {
  const world = await PointWorld.make(12);
  world.write(10);
  const { identity, name } = await world.seal();
  const { objects, host } = world;
  const pages = new KeptPages(pointPagesBytes);
  const points = new SealedPoints({ objects, pages, key: undefined, group: pieceGroup, clock: host.clock });
  const flip = () => host.disk.fileAt(`${storeFolder}/${name}`).flipBit(20, 3);
  flip();
  await world.run(points.list(true));
  expect((await world.run(points.events(identity))).damaged).toHaveLength(1);
  flip();
  await world.pass(pointDamageMs + 1);
  const { records, damaged } = await world.run(points.events(identity));
  expect([records.length > 0, damaged]).toEqual([true, []]);
});

test("of pieces and snapshots that are there no more nothing is kept", async () => {
  const world = await PointWorld.make(13);
  const pages = new KeptPages(pointPagesBytes);
  const parts = { objects: world.objects, pages, key: undefined, group: pieceGroup, clock: world.host.clock };
  const points = new SealedPoints(parts);
  const readAll = async () => {
    await world.run(points.list(true));
    for (const identity of points.pieces) await world.run(points.events(identity));
    for (const seq of points.snapshotSeqs) await world.run(points.snapshot(seq));
  };
  for (let round = 0; round < 5; round++) {
    for (let count = 0; count < 3; count++) {
      world.write(10);
      await world.seal();
    }
    await world.snapshot(world.pointSeqs.at(-1) as number);
    await readAll();
    const pieces = await world.run(world.pieces());
    await world.fold(pieces.slice(-2));
    await world.retain(world.pointSeqs.at(-15) as number);
    await readAll();
    // Each piece by itself, and its events; and each snapshot that is there, if only for others.
    const snapshots = await world.run(seqsOfSnapshots(world.objects, pieceGroup));
    expect(points.heldCount).toBeLessThanOrEqual(2 * points.pieces.length + snapshots.length);
  }
});
