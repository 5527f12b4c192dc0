/** Snapshots as whoever opens points beside the store has them, once what they lie in was folded. */
import { expect, test } from "vitest";
import { pointListMs } from "#src/core/point-limits.ts";
import { listOf } from "#test/journals/sealed-pieces.ts";
import { pointsOf } from "./folded-points.ts";
import { PointWorld } from "./point-world.ts";
import { idleControl } from "./snapshot-world.ts";

const policy = { steps: [{ afterMicros: 0, level: 3600 }], marks: { quiescedMicros: 0, otherMicros: 0 } };

test("one that nobody asked for is offered no more, one that was asked for is, and what comes behind is made of them", async () => {
  const world = await PointWorld.make(61);
  for (let piece = 0; piece < 4; piece++) {
    world.write(12);
    await world.seal();
  }
  const { history } = world;
  const twin = await PointWorld.make(61);
  for (let piece = 0; piece < 4; piece++) {
    twin.write(12);
    await twin.seal();
  }
  await twin.run(twin.history.age(policy, idleControl));
  const pieces = await twin.run(twin.pieces());
  const left = pointsOf((await twin.run(Promise.all(pieces.map((piece) => listOf(piece.records()))))).flat());
  const gone = world.pointSeqs.filter((seq) => !left.includes(seq) && world.isPointOf(1, seq));
  const [asked, own] = [gone.at(-20), gone.at(-10)] as [number, number];
  await world.run(history.makeSnapshot(asked, idleControl, true));
  await world.run(history.makeSnapshot(own, idleControl));
  await world.open();
  for (const seq of [asked, own]) {
    expect((await world.run(world.points.resolve(1, `snap:${seq}`))).point?.seq).toBe(seq);
  }
  expect((await world.run(world.points.timeline(1))).snapshots.map(({ seq }) => seq)).toEqual([asked, own]);
  await world.run(history.age(policy, idleControl));
  await world.pass(pointListMs + 1);
  const { points } = world;
  expect((await world.run(points.resolve(1, `snap:${asked}`))).point?.seq).toBe(asked);
  const none = await world.run(points.resolve(1, `snap:${own}`));
  expect(none).toMatchObject({ point: undefined, why: expect.stringContaining("nobody has asked for it") as string });
  await expect(world.image(1, own)).rejects.toThrow("is no point any more");
  expect((await world.run(points.timeline(1))).snapshots.map(({ seq }) => seq)).toEqual([asked]);
  for (const seq of [asked, world.lastSeq]) {
    expect(await world.differences(await world.image(1, seq))).toEqual([]);
  }
});
