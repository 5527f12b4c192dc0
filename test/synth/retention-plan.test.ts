import { expect, test } from "vitest";
import { wholeHistory } from "#src/synth/history-document.ts";
import { type RetentionFacts, retentionPlan } from "#src/synth/retention-plan.ts";

const hour = 3600e6;
/** A piece for each hour, of 100 records. */
const pieces = Array.from({ length: 20 }, (_, at) => ({
  firstSeq: 100 * at + 1,
  lastSeq: 100 * at + 100,
  earliestMicros: at * hour,
  latestMicros: (at + 1) * hour - 1,
}));

function planned(change: Partial<RetentionFacts>) {
  const time = { micros: 20 * hour, alarm: undefined };
  return retentionPlan({
    time,
    wish: { keepMicros: 8 * hour },
    history: wholeHistory,
    pieces,
    snapshots: [],
    ...change,
  });
}

const lastSeqs = (plan: ReturnType<typeof planned>) => plan.pieces.map(({ lastSeq }) => lastSeq);

test("where nothing is wished nothing goes", () => {
  const plan = planned({ wish: {} });
  expect(plan).toMatchObject({ base: undefined, pieces: [], snapshots: [], horizonMicros: undefined });
});

test("pieces that end before what is to be kept go, when a snapshot stands for them", () => {
  const plan = planned({});
  expect(plan.base).toMatchObject({ seq: 1200, isThere: false });
  expect(lastSeqs(plan)).toEqual(pieces.slice(0, 12).map(({ lastSeq }) => lastSeq));
});

test("a snapshot that is there is taken if it keeps not much more", () => {
  const near = [{ seq: 1150, timeMicros: 11.5 * hour, isPoint: true }];
  expect(planned({ snapshots: near }).base).toMatchObject({ seq: 1150, isThere: true });
  expect(lastSeqs(planned({ snapshots: near })).at(-1)).toBe(1100);
  const far = [{ seq: 1050, timeMicros: 10.5 * hour, isPoint: true }];
  expect(planned({ snapshots: far }).base).toMatchObject({ seq: 1200, isThere: false });
  expect(planned({ snapshots: far }).snapshots.map(({ seq }) => seq)).toEqual([1050]);
});

test("a history begins with no snapshot that is no point any more", () => {
  const pointless = [{ seq: 1150, timeMicros: 11.5 * hour, isPoint: false }];
  expect(planned({ snapshots: pointless }).base).toMatchObject({ seq: 1200, isThere: false });
});

test("a base that is near enough stays the base", () => {
  const history = { ...wholeHistory, basedOn: 1150 };
  const plan = planned({ history, snapshots: [{ seq: 1150, timeMicros: 11.5 * hour, isPoint: true }] });
  expect(plan.base).toBe(undefined);
  expect(plan.snapshots).toEqual([]);
});

test("what is not much older than it has to be stays, so that not each run makes a snapshot", () => {
  expect(planned({ wish: { keepMicros: 18 * hour } }).base).toBe(undefined);
  expect(planned({ wish: { keepMicros: 17 * hour } }).base).toMatchObject({ seq: 300 });
});

test("where clocks disagree nothing goes by age, but what a person wishes goes", () => {
  const time = { micros: 20 * hour, alarm: { word: "clock-backwards" as const, message: "it was later before" } };
  const plan = planned({ time });
  expect(plan).toMatchObject({ alarm: time.alarm, base: undefined, pieces: [] });
  expect(planned({ time, wish: { fromSeq: 250 } })).toMatchObject({ alarm: undefined, base: { seq: 200 } });
});

test("a pin holds what is behind it, whichever way it goes", () => {
  const pin = { id: "view", seq: 420, keeps: "history" as const, reason: "is open" };
  const plan = planned({ history: { ...wholeHistory, pins: [pin] } });
  expect(plan).toMatchObject({ heldBy: pin, base: { seq: 400 } });
  expect(lastSeqs(plan)).toEqual([100, 200, 300, 400]);
});

test("pieces that were to go before and are still there go", () => {
  const behind = { hash: Buffer.alloc(32), firstSeq: 201, lastSeq: 300, lastEpoch: 1 };
  const plan = planned({ wish: {}, history: { ...wholeHistory, basedOn: 300, behind } });
  expect(lastSeqs(plan)).toEqual([100, 200, 300]);
  expect(plan.pieces[0]?.reason).toContain("expired before");
});

test("the newest piece stays whatever is wished", () => {
  const plan = planned({ wish: { fromSeq: Number.MAX_SAFE_INTEGER } });
  expect(lastSeqs(plan).at(-1)).toBe(1900);
  expect(planned({ pieces: pieces.slice(0, 1), wish: { keepMicros: 0 } }).pieces).toEqual([]);
});
