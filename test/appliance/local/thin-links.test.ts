/** What becomes of hosts' writes when they are more than the link carries, in async with a limit of the lag's time. */
import { describe, expect, test } from "vitest";
import { LagAllowance, type LagFacts } from "#src/appliance/local/lag-allowance.ts";
import { KiB, MiB } from "#src/core/limits.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { type ModelHost, type ModelLink, megabit, ThinLinkModel } from "./thin-link-model.ts";

const lagMsMax = 5_000;

/** It would write far more than any of the links carries. */
function greedy(writeBytes: number, depth: number): ModelHost {
  return { writeBytes, depth, bytesPerSecond: 200 * MiB };
}

function linkOf(megabits: number): ModelLink {
  return { bytesPerSecond: () => megabits * megabit };
}

interface Told {
  /** Of writes that ended, or have not ended at the end. */
  readonly waitMsMax: number;
  readonly waitMsMedian: number;
  readonly lagMsMin: number;
  readonly lagMsMax: number;
  readonly drainedBytes: number;
  readonly writes: number;
}

/** After the first seconds, in which it is found out what the link carries. */
function told(model: ThinLinkModel, seconds: number, afterSeconds = 10): Told {
  model.pass(afterSeconds * 1000);
  const drainedBefore = model.durableBytes;
  model.pass((seconds - afterSeconds) * 1000);
  const waits = model.writes.filter(({ endedMs }) => endedMs >= afterSeconds * 1000).map(({ waitedMs }) => waitedMs);
  waits.sort((a, b) => a - b);
  const lags = model.samples.filter(({ atMs }) => atMs >= afterSeconds * 1000).map(({ lagMs }) => lagMs);
  return {
    waitMsMax: Math.max(waits.at(-1) ?? 0, model.openWaitMs),
    waitMsMedian: waits[waits.length >> 1] ?? 0,
    lagMsMin: Math.min(...lags),
    lagMsMax: Math.max(...lags),
    drainedBytes: model.durableBytes - drainedBefore,
    writes: waits.length,
  };
}

/** As it was: how old the oldest is. */
const byAge = { bytes: Number.POSITIVE_INFINITY, look: ({ ageMs }: LagFacts) => ageMs / lagMsMax };

test("by its age alone a backlog is seen too late: on a thin link a write waits for minutes", () => {
  const model = new ThinLinkModel(byAge, linkOf(10), [greedy(4 * KiB, 32)]);
  model.pass(120_000);
  expect(model.openWaitMs).toBeGreaterThan(60_000);
});

describe.each([1, 10, 100])("a host that asks for more than a link of %i Mbit/s", (megabits) => {
  test.each([
    ["one small write after the other", 4 * KiB, 1],
    ["many small writes", 4 * KiB, 32],
    ["long writes", 64 * KiB, 8],
  ])("with %s gets what the link carries, evenly", (_, writeBytes, depth) => {
    const model = new ThinLinkModel(new LagAllowance(lagMsMax), linkOf(megabits), [greedy(writeBytes, depth)]);
    const seconds = 30;
    const carriedBytes = megabits * megabit * (seconds - 10);
    const one = told(model, seconds);
    expect(one.drainedBytes / carriedBytes).toBeGreaterThan(0.95);
    // What is ahead of it in the host's own row has to leave first; besides, no more than a frame or two.
    const rowMs = (depth * (writeBytes + KiB) * 1000) / (megabits * megabit);
    const frameMs = (128 * KiB * 1000) / (megabits * megabit);
    expect(one.waitMsMax).toBeLessThan(rowMs + frameMs + 100);
    expect(one.waitMsMax).toBeLessThan(lagMsMax);
    expect(one.lagMsMin).toBeGreaterThan(0.6 * lagMsMax);
    expect(one.lagMsMax).toBeLessThan(1.25 * lagMsMax);
    // Nor did any wait longer while nothing was known.
    expect(Math.max(...model.writes.map(({ waitedMs }) => waitedMs))).toBeLessThan(lagMsMax);
  });

  test("in bursts waits no longer, and not at all before the link has fallen behind", () => {
    const isAtWork = (nowMs: number) => nowMs % 10_000 < 1_000;
    const host = { ...greedy(16 * KiB, 16), isAtWork };
    const model = new ThinLinkModel(new LagAllowance(lagMsMax), linkOf(megabits), [host]);
    const one = told(model, 60);
    const rowMs = (16 * 17 * KiB * 1000) / (megabits * megabit);
    const frameMs = (128 * KiB * 1000) / (megabits * megabit);
    expect(one.waitMsMax).toBeLessThan(rowMs + frameMs + 100);
    expect(one.lagMsMax).toBeLessThan(1.25 * lagMsMax);
    if (megabits > 1) expect([one.waitMsMedian, one.lagMsMin]).toEqual([0, 0]);
  });
});

test("a link that is fast enough holds nobody up but for a moment, in which that is found out", () => {
  const isAtWork = (nowMs: number) => nowMs % 5_000 < 1_000;
  const hosts = [
    { ...greedy(64 * KiB, 8), isAtWork },
    { ...greedy(4 * KiB, 1), bytesPerSecond: MiB },
  ];
  const model = new ThinLinkModel(new LagAllowance(lagMsMax), linkOf(2_000), hosts);
  model.pass(20_000);
  const waits = model.writes.filter(({ waitedMs }) => waitedMs > 0);
  expect(Math.max(...waits.map(({ endedMs }) => endedMs))).toBeLessThan(1_000);
  expect(Math.max(...waits.map(({ waitedMs }) => waitedMs))).toBeLessThan(150);
  expect(model.openWaitMs).toBe(0);
});

test("a link that becomes ten times thinner leaves writers half of it until what waited there has left", () => {
  const bytesPerSecond = (nowMs: number) => (nowMs < 20_000 ? 100 : 10) * megabit;
  const model = new ThinLinkModel(new LagAllowance(lagMsMax), { bytesPerSecond }, [greedy(4 * KiB, 32)]);
  const before = told(model, 20);
  expect(before.lagMsMax).toBeLessThan(lagMsMax);
  const counted = (fromMs: number, toMs: number) =>
    model.writes.filter(({ endedMs }) => endedMs >= fromMs && endedMs < toMs).length;
  model.pass(120_000);
  expect(Math.max(...model.writes.map(({ waitedMs }) => waitedMs))).toBeLessThan(lagMsMax / 4);
  const perSecond = (10 * megabit) / (4 * KiB + 600);
  expect(counted(30_000, 40_000) / 10 / perSecond).toBeCloseTo(0.5, 1);
  expect(counted(130_000, 140_000) / 10 / perSecond).toBeCloseTo(1, 1);
  expect(model.lagMs).toBeLessThan(lagMsMax);
  // And not that much longer than it takes half of the link to carry what waited there.
  const recovered = model.samples.find(({ atMs, lagMs }) => atMs > 40_000 && lagMs < lagMsMax);
  expect(recovered?.atMs).toBeLessThan(20_000 + 100_000);
});

test("a link that becomes a hundred times wider is made use of within two seconds", () => {
  const bytesPerSecond = (nowMs: number) => (nowMs < 20_000 ? 1 : 100) * megabit;
  const model = new ThinLinkModel(new LagAllowance(lagMsMax), { bytesPerSecond }, [greedy(4 * KiB, 32)]);
  const one = told(model, 32, 22);
  expect(one.drainedBytes / (10 * 100 * megabit)).toBeGreaterThan(0.9);
});

test("a link whose bandwidth is never the same makes the pace of writers no more uneven than it is itself", () => {
  const random = new SeededRandom(1);
  const megabits = Array.from({ length: 120 }, () => random.between(3, 17));
  const bytesPerSecond = (nowMs: number) => (megabits[Math.floor(nowMs / 1000)] as number) * megabit;
  const model = new ThinLinkModel(new LagAllowance(lagMsMax), { bytesPerSecond }, [greedy(4 * KiB, 32)]);
  const one = told(model, 120);
  expect(one.drainedBytes / (110 * 10 * megabit)).toBeGreaterThan(0.85);
  expect(one.waitMsMax).toBeLessThan(lagMsMax);
  expect(one.lagMsMax).toBeLessThan(2.5 * lagMsMax);
});

test("volumes of a group have equal parts of a thin link", () => {
  const hosts = Array.from({ length: 16 }, () => greedy(4 * KiB, 4));
  const model = new ThinLinkModel(new LagAllowance(lagMsMax), linkOf(10), hosts);
  const one = told(model, 40);
  expect(one.waitMsMax).toBeLessThan(lagMsMax / 2);
  const counts = hosts.map((_, index) => model.writes.filter(({ volume }) => volume === index).length);
  expect(Math.max(...counts) / Math.min(...counts)).toBeLessThan(1.25);
});

test("a link that stands still for less than the lag may last stops nobody who asks for less than it carries", () => {
  const bytesPerSecond = (nowMs: number) => (nowMs % 20_000 < 17_000 ? 10 : 0) * megabit;
  const host = { ...greedy(4 * KiB, 4), bytesPerSecond: 4 * megabit };
  const one = told(new ThinLinkModel(new LagAllowance(lagMsMax), { bytesPerSecond }, [host]), 80, 15);
  expect(one.waitMsMax).toBeLessThan(500);
});

test("a link that stands still longer stops writers when the time is up, and lets them go on at once", () => {
  const bytesPerSecond = (nowMs: number) => (nowMs < 20_000 || nowMs > 60_000 ? 10 : 0) * megabit;
  const host = { ...greedy(4 * KiB, 4), bytesPerSecond: 4 * megabit };
  const model = new ThinLinkModel(new LagAllowance(lagMsMax), { bytesPerSecond }, [host]);
  model.pass(59_900);
  expect(model.openWaitMs).toBeGreaterThan(30_000);
  model.pass(600);
  expect(model.openWaitMs).toBeLessThan(100);
});
