/** What the allowance makes of single words of the remote; what becomes of writers is in `thin-links.test.ts`. */
import { expect, test } from "vitest";
import { LagAllowance, type LagFacts } from "#src/appliance/local/lag-allowance.ts";
import { MiB } from "#src/core/limits.ts";

const lagMsMax = 10_000;
const nothing: LagFacts = {
  ...{ nowMs: 0, isLinkUp: true, durableSeq: 0, durableBytes: 0, undurableBytes: 0, ageMs: 0 },
};

/** A link that is never idle and carries a MiB in a second, for so long. */
function learned(seconds: number) {
  const allowance = new LagAllowance(lagMsMax);
  allowance.look(nothing);
  let facts = nothing;
  for (let nowMs = 250; nowMs <= seconds * 1000; nowMs += 250) {
    const durableBytes = (nowMs / 1000) * MiB;
    const ageMs = Math.min(nowMs, 5_000);
    facts = { ...nothing, nowMs, durableSeq: nowMs, durableBytes, undurableBytes: 5 * MiB, ageMs };
    allowance.look(facts);
  }
  return { allowance, facts };
}

test("what may wait is what is drained in the time that the lag may last", () => {
  const { allowance, facts } = learned(30);
  expect(allowance.bytes / MiB).toBeCloseTo(10, 1);
  expect(allowance.look({ ...facts, undurableBytes: 8 * MiB })).toBeCloseTo(0.8, 2);
});

test("where nothing waits there is no pressure, however long nothing was drained", () => {
  const { allowance, facts } = learned(30);
  expect(allowance.look({ ...facts, nowMs: 40_000, undurableBytes: 0, ageMs: 0 })).toBe(0);
  // Nor does what comes then count as waiting since before.
  expect(allowance.look({ ...facts, nowMs: 90_000, undurableBytes: 1, ageMs: 100 })).toBeLessThan(0.02);
});

test("a remote that brings nothing to an end for so long stops writers, be its link up or not", () => {
  for (const isLinkUp of [true, false]) {
    const { allowance, facts } = learned(30);
    const at = (nowMs: number) => allowance.look({ ...facts, isLinkUp, nowMs, undurableBytes: MiB, ageMs: 20_000 });
    expect(at(39_000)).toBeCloseTo(0.9, 2);
    expect(at(40_000)).toBeGreaterThanOrEqual(1);
  }
});

test("what a remote had got before its link was lost tells nothing of the link", () => {
  const { allowance, facts } = learned(30);
  const { bytes } = allowance;
  const away = { ...facts, nowMs: 31_000, isLinkUp: false };
  allowance.look(away);
  const back = { ...away, nowMs: 31_100, isLinkUp: true, durableSeq: 99_000, durableBytes: 90 * MiB };
  expect(allowance.look(back)).toBeLessThan(1);
  allowance.look({ ...back, nowMs: 31_350, durableSeq: 99_001, durableBytes: 90.25 * MiB });
  expect(allowance.bytes).toBeLessThanOrEqual(bytes);
});

test("what waited before anybody was let in by it, or a remote has lost, stops nobody", () => {
  const before = { ...nothing, nowMs: 1_000, durableSeq: 7, undurableBytes: 900 * MiB, ageMs: 3_600_000 };
  expect(new LagAllowance(lagMsMax).look(before)).toBeCloseTo(0.9, 5);
  const { allowance, facts } = learned(30);
  const less = { ...facts, durableSeq: 5, durableBytes: 0, undurableBytes: 35 * MiB, ageMs: 30_000 };
  expect(allowance.look(less)).toBeLessThanOrEqual(0.9);
});

test("half of what is drained counts for the excess", () => {
  const allowance = new LagAllowance(lagMsMax);
  const at = (nowMs: number, drained: number, added: number) =>
    allowance.look({
      ...{ nowMs, isLinkUp: true, durableSeq: nowMs, durableBytes: drained * MiB, ageMs: 60_000 },
      undurableBytes: (900 - drained + added) * MiB,
    });
  at(0, 0, 0);
  for (let second = 1; second <= 100; second++) at(second * 1000, second, second / 2);
  // Half of a MiB came in each second, and it goes on so.
  expect(allowance.bytes / MiB).toBeCloseTo(10, 1);
  const pressure = at(101_000, 101, 50.5);
  expect(pressure).toBeGreaterThan(0.5);
  expect(pressure).toBeLessThan(1);
});

test("what nobody makes use of is known less and less, and never less than nothing was known", () => {
  const { allowance, facts } = learned(30);
  const { bytes } = allowance;
  const idle = { ...facts, undurableBytes: 0, ageMs: 0 };
  allowance.look({ ...idle, nowMs: 30_000 });
  allowance.look({ ...idle, nowMs: 90_000 });
  expect(allowance.bytes).toBeCloseTo(bytes / 2, 0);
  allowance.look({ ...idle, nowMs: 86_400_000 });
  expect(allowance.bytes).toBe(new LagAllowance(lagMsMax).bytes);
});

test("a word after each millisecond needs no more memory than one a second, nor does a lag of a year", () => {
  const allowance = new LagAllowance(365 * 86_400_000);
  for (let nowMs = 0; nowMs < 60_000; nowMs++) {
    const durableBytes = nowMs * 1000;
    allowance.look({ ...nothing, nowMs, durableSeq: nowMs, durableBytes, undurableBytes: MiB, ageMs: nowMs });
  }
  expect(allowance.sampleCount).toBeLessThan(80);
});
