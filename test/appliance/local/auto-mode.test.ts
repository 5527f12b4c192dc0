import { describe, expect, test } from "vitest";
import { type AutoFacts, AutoMode, type AutoMove, type AutoPolicy } from "#src/appliance/local/auto-mode.ts";
import type { Mode } from "#src/appliance/local/mode-machine.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const policy: AutoPolicy = {
  answerMsMax: 5,
  lagSecondsMax: 10,
  bytesPerSecondMax: Number.POSITIVE_INFINITY,
  downAfterMs: 5_000,
  upAfterMs: 60_000,
  upAfterMsMax: 3_600_000,
};

const quick: Omit<AutoFacts, "nowMs"> = {
  isLinkUp: true,
  answerMs: 1,
  lagSeconds: 0,
  backlogBytes: 0,
  shippedBytesPerSecond: 1e6,
  addedBytesPerSecond: 1e6,
};

/** Looks once a second; answers the moves with their seconds. */
function run(auto: AutoMode, fromSecond: number, toSecond: number, facts: Omit<AutoFacts, "nowMs">) {
  const moves: [number, AutoMove][] = [];
  for (let second = fromSecond; second < toSecond; second++) {
    const move = auto.look({ ...facts, nowMs: second * 1000 });
    if (move !== undefined) moves.push([second, move]);
  }
  return moves;
}

test("a link that is quick for a while brings sync, and one that is not takes it away", () => {
  const auto = new AutoMode(policy, "async");
  expect(run(auto, 0, 100, quick)).toEqual([[62, { to: "sync", why: "the remote answers within 1 ms" }]]);
  expect(run(auto, 100, 200, { ...quick, answerMs: 25 })).toEqual([
    [107, { to: "async", why: "the remote takes 25 ms to answer, and 5 are allowed" }],
  ]);
});

test("some slow answers among quick ones change nothing", () => {
  const auto = new AutoMode(policy, "async");
  const moves: AutoMove[] = [];
  for (let second = 0; second < 600; second++) {
    const facts = { ...quick, answerMs: second % 5 < 2 ? 100 : 1 };
    const move = auto.look({ ...facts, nowMs: second * 1000 });
    if (move !== undefined) moves.push(move);
  }
  expect(moves).toMatchObject([{ to: "sync" }]);
});

test("a moment is no reason", () => {
  const auto = new AutoMode(policy, "sync");
  for (let second = 0; second < 600; second += 10) {
    expect(run(auto, second, second + 4, { ...quick, answerMs: 100 })).toEqual([]);
    expect(run(auto, second + 4, second + 10, quick)).toEqual([]);
  }
});

test("a remote that falls behind brings aggregated, until hosts write what the link can carry", () => {
  const auto = new AutoMode(policy, "async");
  const slow = { ...quick, answerMs: 900, lagSeconds: 20, shippedBytesPerSecond: 4e5 };
  expect(run(auto, 0, 20, slow)).toMatchObject([[5, { to: "aggregated" }]]);
  // Folded there is no lag any more, and every single write would still be too much.
  expect(run(auto, 20, 1000, { ...quick, answerMs: 40, lagSeconds: 1 })).toEqual([]);
  const less = { ...quick, answerMs: 40, lagSeconds: 1, addedBytesPerSecond: 2e5 };
  expect(run(auto, 1000, 1100, less)).toMatchObject([[1060, { to: "async" }]]);
});

test("a link that took nothing for a while is tried with every write again, an hour later at the latest", () => {
  const auto = new AutoMode(policy, "async");
  const stuck = { ...quick, answerMs: 900, lagSeconds: 20, shippedBytesPerSecond: 0 };
  expect(run(auto, 0, 20, stuck)).toMatchObject([[5, { to: "aggregated" }]]);
  expect(run(auto, 20, 3600, { ...quick, answerMs: 40 })).toEqual([]);
  expect(run(auto, 3600, 3700, { ...quick, answerMs: 40 })).toMatchObject([[3665, { to: "async" }]]);
});

test("aggregates that are far apart do not keep it in aggregated", () => {
  const auto = new AutoMode(policy, "aggregated");
  expect(run(auto, 0, 100, { ...quick, answerMs: 40, lagSeconds: 300 })).toMatchObject([[60, { to: "async" }]]);
});

test("a backlog that is being caught up with brings no other mode", () => {
  const auto = new AutoMode(policy, "async");
  expect(run(auto, 0, 100, { ...quick, answerMs: 900, lagSeconds: 500, shippedBytesPerSecond: 2e6 })).toEqual([]);
});

test("more than a bandwidth that was set is not written for long in async", () => {
  const auto = new AutoMode({ ...policy, bytesPerSecondMax: 5e5 }, "async");
  expect(run(auto, 0, 10, { ...quick, answerMs: 40 })).toMatchObject([[5, { to: "aggregated" }]]);
});

test("without a link sync is left, and nothing else happens", () => {
  const gone = { ...quick, isLinkUp: false, answerMs: undefined, lagSeconds: 1000, shippedBytesPerSecond: 0 };
  expect(run(new AutoMode(policy, "sync"), 0, 500, gone)).toMatchObject([
    [5, { to: "async", why: "the link is down" }],
  ]);
  expect(run(new AutoMode(policy, "aggregated"), 0, 500, gone)).toEqual([]);
});

test("what is under way for long enough to be much keeps sync away", () => {
  expect(run(new AutoMode(policy, "async"), 0, 500, { ...quick, backlogBytes: 2_000_000 })).toEqual([]);
});

test("where nothing was shipped nobody knows how quick the remote is", () => {
  expect(run(new AutoMode(policy, "async"), 0, 500, { ...quick, answerMs: undefined })).toEqual([]);
});

/** More moves than this in any hour are flapping. */
const movesPerHourMax = 20;

function mostMovesInAnHour(secondsOfMoves: readonly number[]): number {
  let most = 0;
  for (const [index, second] of secondsOfMoves.entries()) {
    const end = secondsOfMoves.findIndex((other) => other >= second + 3600);
    most = Math.max(most, (end < 0 ? secondsOfMoves.length : end) - index);
  }
  return most;
}

/** A day of a link that behaves as `behave` says. */
function dayOf(behave: (second: number, mode: Mode) => Omit<AutoFacts, "nowMs">): number[] {
  const auto = new AutoMode(policy, "async");
  const moves: number[] = [];
  for (let second = 0; second < 86_400; second++) {
    if (auto.look({ ...behave(second, auto.mode), nowMs: second * 1000 }) !== undefined) moves.push(second);
  }
  return moves;
}

const slowSync = { ...quick, answerMs: 50 };
const behindAsync = { ...quick, answerMs: 50, lagSeconds: 60, shippedBytesPerSecond: 5e5 };

describe("it does not flap", () => {
  test("on links that change by chance, quickly or slowly", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new SeededRandom(seed);
      let facts: Omit<AutoFacts, "nowMs"> = quick;
      let until = 0;
      const lengthMax = 2 ** random.between(1, 13);
      const moves = dayOf((second) => {
        if (second >= until) {
          until = second + random.between(1, lengthMax);
          facts = {
            isLinkUp: random.chance(0.9),
            answerMs: random.chance(0.1) ? undefined : random.between(0, 10) ** 2 / 10,
            lagSeconds: random.chance(0.5) ? 0 : random.between(0, 30),
            backlogBytes: random.chance(0.5) ? 0 : random.between(0, 4_000_000),
            shippedBytesPerSecond: random.between(0, 2_000_000),
            addedBytesPerSecond: random.between(0, 2_000_000),
          };
        }
        return facts;
      });
      expect(mostMovesInAnHour(moves), `seed ${seed}`).toBeLessThanOrEqual(movesPerHourMax);
    }
  });

  /** Good until it has moved up, and bad again a while later: the worst that a link can do. */
  test.each([0, 60, 300, 590, 610, 1300, 2500])("on a link that becomes bad %i s after each step up", (staySeconds) => {
    for (const bottom of ["async", "aggregated"] as const) {
      let last: Mode = "async";
      let changed = 0;
      const moves = dayOf((second, mode) => {
        if (mode !== last) changed = second;
        last = mode;
        const isBad = mode !== bottom && second - changed >= staySeconds;
        if (!isBad) return { ...quick, addedBytesPerSecond: 1e5 };
        return mode === "sync" ? slowSync : behindAsync;
      });
      expect(moves.length).toBeGreaterThan(4);
      expect(mostMovesInAnHour(moves)).toBeLessThanOrEqual(movesPerHourMax);
    }
  });
});
