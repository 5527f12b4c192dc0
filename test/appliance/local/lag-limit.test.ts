/** The limits of the lag in a group: looked at as writes come, and by the age alone where the mode is not async. */
import { expect, test } from "vitest";
import { KiB, MiB } from "#src/core/limits.ts";
import { Bench, policy } from "./appliance-bench.ts";

const lagMsMax = 5_000;
const carriedPerMs = 1_250;
const large = {
  ...{ ...policy, seqReserve: 1_000_000, spoolSegmentBytes: 4 * MiB },
  ...{ spoolLimitBytes: 1024 * MiB, lagBytesMax: 1024 * MiB },
};

/** Whoever finds room writes at once, as interceptors do. Answers how much there is behind the remote then. */
function fill(it: Bench): number {
  for (let count = 0; count < 4_000 && it.link.pressure < 1 && it.link.hasRoomFor(1); count++) {
    it.write(7, 1);
    it.link.commit();
  }
  return it.figures.lagBytes;
}

test("in async a thin link has behind it what it carries in the time of the lag, and no more from the first moment on", async () => {
  const it = new Bench();
  it.policy = { ...large, lagMsMax };
  await it.start("async");
  const wanted = lagMsMax * carriedPerMs;
  let [drained, added] = [0, 0];
  const recordBytes = 4.5 * KiB;
  const before = it.figures.lastSeq;
  it.remote.markAll(before);
  for (let tenths = 0; tenths < 300; tenths++) {
    const lagBytes = fill(it);
    expect(lagBytes).toBeLessThan(1.1 * wanted);
    added = it.figures.lastSeq - before;
    await it.rest(100);
    drained = Math.min(added, drained + Math.floor((100 * carriedPerMs) / recordBytes));
    it.remote.markAll(before + drained);
  }
  expect(fill(it)).toBeGreaterThan(0.8 * wanted);
  expect(it.figures.lagSeconds).toBeLessThan(1.2 * (lagMsMax / 1000));
});

test("a limit in bytes is not passed by what comes between two looks at the clock", async () => {
  const it = new Bench();
  it.policy = { ...large, lagBytesMax: MiB };
  await it.start("async");
  expect(fill(it)).toBeLessThan(1.1 * MiB);
});

test.each(["sync", "aggregated"] as const)("in %s it is the age that counts", async (mode) => {
  const it = new Bench();
  it.policy = { ...large, lagMsMax };
  await it.start(mode);
  await it.rest(1_000);
  it.remote.markAll(it.figures.lastSeq);
  for (let count = 0; count < 1_000; count++) {
    expect(it.link.pressure).toBeLessThan(0.1);
    it.write(7, 1);
    it.link.commit();
  }
  expect(it.figures.pressure).toBeLessThan(0.1);
  await it.rest(2_500);
  expect(it.figures.pressure).toBeCloseTo(0.5, 1);
  await it.rest(2_500);
  expect(it.figures.pressure).toBe(1);
});

test("whoever waits hears that the pressure has fallen, and who was the first to hear it is the last the next time", async () => {
  const it = new Bench();
  it.policy = { ...large, lagBytesMax: MiB };
  await it.start("async");
  const heard: string[] = [];
  for (const id of ["bb", "cc"]) {
    const receiver = {
      ...{ redo: async () => {}, acknowledged: () => {}, remoteDurable: () => {} },
      roomAgain: () => heard.push(id),
      lost: (error: Error) => expect.unreachable(error.message),
    };
    await it.done(it.appliance.attach({ ...it.identity, id, name: id }, 0, receiver));
  }
  for (let turn = 0; turn < 3; turn++) {
    fill(it);
    it.remote.markAll(it.figures.lastSeq);
    await it.rest(300);
  }
  const turns = heard.length / 2;
  expect(turns).toBeGreaterThanOrEqual(3);
  expect(new Set(Array.from({ length: turns }, (_, turn) => heard[turn * 2])).size).toBe(2);
});
