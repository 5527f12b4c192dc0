import { expect, test } from "vitest";
import { describeSpool, type SpoolEndItem } from "#src/appliance/local/spool-description.ts";
import { KiB } from "#src/core/limits.ts";
import { logFileMagic, putLogFileHeader } from "#src/records/log-file.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { range, SpoolWorld, spoolFolder } from "./spool-world.ts";

const seedCount = 150;
const crashesPerSeed = 5;

interface Life {
  readonly world: SpoolWorld;
  readonly random: SeededRandom;
  /** Every seq that was appended and not lost, in order; what was released is among them. */
  log: number[];
  releasedSeq: number;
}

async function begin(seed: number, segmentBytes = 32 * KiB): Promise<Life> {
  const world = new SpoolWorld(seed, { segmentBytes, limitBytes: 8 * segmentBytes });
  await world.open();
  return { world, random: world.simulation.random.fork("life"), log: [], releasedSeq: 0 };
}

/** Appends, syncs, releases and prepares, in random order; syncs may be under way at the end. */
function live(life: Life): void {
  const { world, random } = life;
  for (let left = random.between(1, 40); left > 0; left--) {
    const before = world.spool.lastSeq;
    const choice = random.integerBelow(10);
    if (choice < 6) {
      world.appendSome(random.between(1, 3));
      life.log.push(...range(before + 1, world.spool.lastSeq));
    } else if (choice < 7) world.startSync();
    else if (choice < 8) release(life);
    else if (choice < 9) world.spool.prepare();
    for (let steps = random.integerBelow(4); steps > 0; steps--) world.simulation.clock.step();
  }
}

function release({ world, random, log }: Life): void {
  const seq = log[random.integerBelow(Math.max(1, log.length))];
  if (seq !== undefined) world.spool.release(seq);
}

function crash({ world, random }: Life): "kill" | "power" {
  const how = random.chance(0.4) ? "kill" : "power";
  if (how === "kill") world.host.kill();
  else world.host.cutPower();
  return how;
}

/** The folder as it is now, without anything being changed. */
function describedEnd({ world }: Life): SpoolEndItem {
  const last = [...describeSpool(world.host.files, spoolFolder)].pop();
  if (last?.kind !== "end") throw new Error("a description ends with the end");
  return last;
}

async function check(life: Life, how: "kill" | "power"): Promise<void> {
  const { world, log } = life;
  const { firstSeq, lastSeq } = world.spool;
  const held = await world.read();
  if (how === "kill") expect(lastSeq).toBe(log[log.length - 1] ?? 0);
  expect(lastSeq).toBeGreaterThanOrEqual(world.promisedSeq);
  expect(held).toEqual(log.filter((seq) => seq >= firstSeq && seq <= lastSeq));
  expect(firstSeq).toBeLessThanOrEqual(log.find((seq) => seq > life.releasedSeq) ?? firstSeq);
  expect(world.spool.durableSeq).toBe(lastSeq);
  life.log = log.filter((seq) => seq <= lastSeq);
  world.promisedSeq = lastSeq;
}

test("faults 2, 10 and 11: what was promised is there after any crash, and the rest is a beginning of what was appended", async () => {
  let lostCount = 0;
  for (let seed = 0; seed < seedCount; seed++) {
    const life = await begin(seed);
    for (let count = 0; count < crashesPerSeed; count++) {
      live(life);
      life.releasedSeq = Math.max(life.releasedSeq, life.world.spool.releasedSeq);
      const lastBefore = life.log[life.log.length - 1] ?? 0;
      const how = crash(life);
      await life.world.open();
      await check(life, how);
      if (life.world.spool.lastSeq < lastBefore) lostCount++;
      if (how === "power") startEpoch(life);
    }
  }
  expect(lostCount).toBeGreaterThan(seedCount / 10);
});

function startEpoch(life: Life): void {
  const { world, random } = life;
  try {
    const seq = world.beginEpoch(world.spool.lastSeq + random.between(1, 500));
    life.log.push(seq);
  } catch (error) {
    expect((error as Error).message).toContain("is full");
  }
}

test("fault 11: what was dropped never comes back, even if its seqs are given again at once", async () => {
  let droppedCount = 0;
  for (let seed = 0; seed < seedCount; seed++) {
    const life = await begin(seed);
    for (let count = 0; count < crashesPerSeed; count++) {
      live(life);
      life.releasedSeq = Math.max(life.releasedSeq, life.world.spool.releasedSeq);
      const how = crash(life);
      await life.world.open();
      droppedCount += life.world.spool.droppedRecordCount;
      await check(life, how);
      // Only the content tells one from the other.
      life.world.generation++;
    }
  }
  expect(droppedCount).toBeGreaterThan(seedCount);
});

test("fault 9: a recovery that is interrupted again and again comes to the same end", async () => {
  let interruptedCount = 0;
  for (let seed = 0; seed < seedCount; seed++) {
    const life = await begin(seed);
    const { world, random } = life;
    live(life);
    life.releasedSeq = world.spool.releasedSeq;
    const how = crash(life);
    const expected = describedEnd(life);
    expect(expected.decision).not.toBe("damage");
    for (let count = 0; count < 4; count++) {
      const isOpen = await world.openFor(random.integerBelow(8));
      if (!isOpen) interruptedCount++;
      // What a killed process wrote is not durable before a recovery is through: a power cut may take it.
      if (how === "kill") world.host.kill();
      else crash(life);
      expect(describedEnd(life).lastSeq).toBe(expected.lastSeq);
    }
    await world.open();
    expect(world.spool.lastSeq).toBe(expected.lastSeq);
    await check(life, how);
  }
  expect(interruptedCount).toBeGreaterThan(seedCount);
});

test("fault 10: a folder is only a spool from the moment on that its first file is durable", async () => {
  for (let seed = 0; seed < 100; seed++) {
    const world = new SpoolWorld(seed);
    for (let count = 0; count < 3; count++) {
      await world.openFor(world.random.integerBelow(6), { isNew: true });
      if (world.random.chance(0.5)) world.host.kill();
      else world.host.cutPower();
    }
    await world.open({ isNew: true });
    world.append();
    await world.sync();
    world.host.cutPower();
    await world.open({ isNew: false });
    expect(await world.read()).toEqual([1]);
  }
});

test("a batch that was dropped does not follow the one that is written in the place before it", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 12; count++) world.append();
  const { path, offset } = world.placeOf(world.spool.positionAfter(2));
  world.host.kill();
  world.host.disk.fileAt(path).flipBit(offset + 1000, 1);
  await world.open();
  expect(world.spool.droppedRecordCount).toBe(10);
  world.generation++;
  for (const seq of [3, 4, 5, 6, 7]) {
    expect(world.append()).toBe(seq);
    world.host.kill();
    await world.open();
    expect(await world.read()).toEqual(range(1, seq));
  }
});

test("what only a dropped file told of what was released is not forgotten with it", async () => {
  for (let seed = 0; seed < 40; seed++) {
    const world = new SpoolWorld(seed);
    await world.open();
    for (let count = 0; count < 27; count++) world.append();
    await world.sync();
    putHeaderBehind(world, 21);
    world.host.kill();
    await world.open();
    expect([world.spool.firstSeq, world.spool.lastSeq]).toEqual([22, 27]);
    // The files before are used again; what they held may be overwritten before their headers say so.
    for (let count = 0; count < 12; count++) world.append();
    world.host.cutPower();
    await world.open();
    expect(world.spool.lastSeq).toBeGreaterThanOrEqual(27);
    expect(await world.read()).toEqual(range(22, world.spool.lastSeq));
  }
});

/** A file as a power cut leaves it when what lies between it and the rest of the log is lost. */
function putHeaderBehind(world: SpoolWorld, releasedSeq: number): void {
  const { group, incarnation, segmentBytes } = world.options;
  const bytes = Buffer.alloc(512);
  const place = { basePosition: 9 * segmentBytes, fullBytes: segmentBytes, firstSeq: 60, releasedSeq };
  putLogFileHeader(bytes, 0, { magic: logFileMagic.spool, group, incarnation, ...place });
  const handle = world.host.files.create(`${spoolFolder}/00000099.segment`);
  handle.writeNow(bytes, 0, bytes.length, 0);
  handle.close();
}
