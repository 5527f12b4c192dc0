/** Of a volume without a point: whether one is to come, or what would say so is lost. */
import { expect, test } from "vitest";
import { pointDamageMs, pointListMs } from "#src/core/point-limits.ts";
import { PointWorld, storeFolder } from "./point-world.ts";

test("a volume of which nothing has come yet is a new one, until its first point is there", async () => {
  const world = await PointWorld.make(61);
  world.durableSeq = 0;
  await world.open();
  const now = async (volume: number) => {
    await world.pass(pointListMs + 1);
    return await world.run(world.points.resolve(volume, "now"));
  };
  expect(await now(1)).toMatchObject({ point: undefined, isNew: true, why: "nothing is durable here yet" });
  world.durableSeq = Number.MAX_SAFE_INTEGER;
  expect(await now(1)).toMatchObject({ point: undefined, isNew: true, why: expect.stringMatching(/just joined/) });
  expect(await now(9)).toMatchObject({ point: undefined, isNew: true, why: expect.stringMatching(/not joined/) });
  await world.seal();
  expect(await now(1)).toMatchObject({ isNew: true });
  world.write(20);
  expect(await now(1)).toMatchObject({ point: { seq: world.lastSeq } });
  const before = await world.run(world.points.resolve(1, "seq:1"));
  expect([before.point, "isNew" in before]).toEqual([undefined, false]);
});

test("where what would say that a volume has points is damaged or gone it passes for no new one", async () => {
  const world = await PointWorld.make(62);
  const piece = await world.seal();
  world.write(20);
  await world.seal();
  await world.open();
  const now = () => world.run(world.points.resolve(9, "now"));
  expect(await now()).toMatchObject({ point: undefined, isNew: true });
  const handle = world.host.files.open(`${storeFolder}/${piece.name}`, "readWrite");
  handle.writeNow(Buffer.from([0xaa]), 0, 1, 20);
  handle.close();
  await world.open();
  await world.pass(pointDamageMs + 1);
  const answer = await now();
  expect([answer.point, "isNew" in answer]).toEqual([undefined, false]);
});
