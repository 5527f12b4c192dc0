/** What is released before it was ever synced need not reach the disk, and whoever starts again does not miss it. */
import { expect, test } from "vitest";
import { KiB } from "#src/core/limits.ts";
import { range, SpoolWorld } from "./spool-world.ts";

const segmentBytes = 32 * KiB;
/** Large enough for several files to be released together. */
const limitBytes = 64 * segmentBytes;

/** So many files that some of them come free, none of which was ever synced, and some batches behind them. */
async function filled(seed: number): Promise<SpoolWorld> {
  const world = new SpoolWorld(seed, { segmentBytes, limitBytes });
  await world.open();
  while (world.paths.length < 12) world.append([2]);
  return world;
}

test("released files come free together, and what they held goes to no disk", async () => {
  const world = await filled(1);
  const files = world.paths.length;
  const before = world.spool.usedBytes;
  const releasedSeq = world.spool.lastSeq - 6;
  world.release(releasedSeq);
  expect(world.spool.usedBytes).toBeLessThan(before - 8 * segmentBytes);
  expect([world.spool.releasedSeq, world.spool.durableSeq]).toEqual([releasedSeq, world.spool.lastSeq]);
  expect(world.unsyncedBytes).toBeGreaterThan(7 * segmentBytes);
  // They are used again before any is made.
  for (let count = 0; count < 20; count++) world.append([2]);
  expect(world.paths.length).toBe(files);
});

test("of many files that come free those that are not used again go one at a time: others have their turn between", async () => {
  const world = await filled(1);
  while (world.paths.length < 40) world.append([2]);
  const counts = [world.paths.length];
  world.spool.release(world.spool.lastSeq - 6);
  while (world.simulation.clock.step()) counts.push(world.paths.length);
  // Those that the log lies in, and nine to go on in.
  expect(counts.at(-1)).toBeLessThan(13);
  const gone = counts.slice(1).map((count, index) => (counts[index] as number) - count);
  expect(Math.max(...gone)).toBe(1);
});

test("a spool that is closed meanwhile keeps the others for the next time", async () => {
  const world = await filled(1);
  while (world.paths.length < 40) world.append([2]);
  world.spool.release(world.spool.lastSeq - 6);
  while (world.paths.length === 40) world.simulation.clock.step();
  world.spool.close();
  world.simulation.clock.runUntilIdle();
  expect(world.paths.length).toBe(39);
});

test.each(["ENOSPC", "EDQUOT"])(
  "fault 15: a release that the disk has no room to note (%s) is made when it has some",
  async (code) => {
    const world = await filled(1);
    const before = world.spool.usedBytes;
    const releasedSeq = world.spool.lastSeq - 6;
    // Where the disk never writes over what is there, that takes room as well.
    for (let count = 0; count < 2; count++) world.host.disk.failNext("write", code);
    world.release(releasedSeq);
    expect(world.spool.usedBytes).toBeLessThan(before - 8 * segmentBytes);
    expect(world.spool.releasedSeq).toBe(releasedSeq);
    world.append([2]);
    await world.sync();
  },
);

test("a release that the disk has no room to note is not tried again once the spool is closed", async () => {
  const world = await filled(1);
  const { disk, files } = world.host;
  disk.failNext("write", "ENOSPC");
  world.spool.release(world.spool.lastSeq - 6);
  while (world.spool.releasedSeq === 0) world.simulation.clock.step();
  world.spool.close();
  files.open = (path) => expect.unreachable(`${path} was opened`);
  world.simulation.clock.runUntilIdle();
  expect(world.spool.usedBytes).toBeGreaterThan(8 * segmentBytes);
});

test("faults 10 and 11: a cut of the power at any step of a release loses nothing that was claimed or not released", async () => {
  const found = { released: 0, claimed: 0, dropped: 0 };
  for (let seed = 0; seed < 60; seed++) {
    const world = await filled(seed);
    const { random } = world;
    world.spool.release(world.spool.lastSeq - random.between(1, 6));
    // Often right when what follows is durable, and nothing says yet that what was before is not missed.
    const isBetween = random.chance(0.5);
    for (let steps = random.integerBelow(12); steps > 0 || (isBetween && world.spool.releasedSeq === 0); steps--) {
      world.simulation.clock.step();
      if (world.spool.releasedSeq > 0 && isBetween) break;
    }
    for (let count = random.integerBelow(6); count > 0; count--) world.append([1]);
    const { releasedSeq, durableSeq, lastSeq } = world.spool;
    world.host.cutPower();
    await world.open();
    expect(world.spool.lastSeq).toBeGreaterThanOrEqual(durableSeq);
    expect(world.spool.releasedSeq).toBeLessThanOrEqual(Math.max(releasedSeq, 0));
    const { firstSeq } = world.spool;
    expect(firstSeq).toBeLessThanOrEqual(world.spool.releasedSeq + 1);
    expect(await world.read()).toEqual(range(firstSeq, world.spool.lastSeq));
    if (world.spool.releasedSeq > 0) found.released++;
    if (durableSeq > 0) found.claimed++;
    if (world.spool.lastSeq < lastSeq) found.dropped++;
  }
  expect(Math.min(...Object.values(found))).toBeGreaterThan(5);
});
