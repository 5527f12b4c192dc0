import { expect, test } from "vitest";
import { jobTroubles } from "#src/control/job.ts";
import { JobBook } from "#src/control/job-book.ts";
import { JobMeter } from "#src/control/job-meter.ts";
import { RefuseError } from "#src/core/errors.ts";
import { jobRetryMs, jobRetryMsMax, jobsKeptMax } from "#src/core/store-limits.ts";

const verify = { kind: "verify", isDry: false } as const;
const index = { kind: "index", isDry: false } as const;
const result = { isSound: true, figures: { segments: 1 }, lines: [] };

test("jobs are done as they are wanted, and those wanted alike in their order", () => {
  const book = new JobBook();
  const first = book.add(verify, true, 1);
  const dry = book.add({ ...verify, isDry: true }, false, 2);
  const hurried = book.add(index, false, 3);
  expect([first.id, dry.id, hurried.id]).toEqual([1, 2, 3]);
  const order: number[] = [];
  for (let next = book.next("store", 0); next !== undefined; next = book.next("store", 0)) {
    book.begin(next.id, 10);
    order.push(next.id);
    book.end(next.id, { kind: "done", result }, 0, 20);
  }
  expect(order).toEqual([3, 1, 2]);
  expect(book.get(1)).toMatchObject({ state: "done", startedMs: 10, endedMs: 20, result });
});

test("who asks for what is to be done already gets that", () => {
  const book = new JobBook();
  const { id } = book.add(verify, true, 1);
  expect(book.add(verify, false, 2).id).toBe(id);
  book.begin(id, 3);
  expect(book.add(verify, false, 4).id).toBe(id);
  book.end(id, { kind: "failed", why: "damaged" }, 0, 5);
  expect(book.add(verify, false, 6).id).not.toBe(id);
});

test("who wants a scrub of everything does not get one that has begun elsewhere", () => {
  const scrub = { kind: "scrub", isDry: false, isAnew: false } as const;
  const anew = { ...scrub, isAnew: true } as const;
  const book = new JobBook();
  const begun = book.add(scrub, true, 1);
  book.begin(begun.id, 2);
  const whole = book.add(anew, false, 3);
  expect([whole.id, whole.state, whole.request]).toEqual([2, "waiting", { ...anew, askedMicros: 3000 }]);
  expect([book.add(anew, false, 4), book.add(scrub, true, 5).id]).toEqual([whole, begun.id]);
  book.end(begun.id, { kind: "done", result }, 0, 6);
  book.begin(whole.id, 7);
  book.putBack(whole.id);
  // It goes on, and is no other one for it.
  expect([book.add(scrub, true, 8), book.add(anew, false, 9)]).toEqual([book.get(whole.id), book.get(whole.id)]);
  expect(book.get(whole.id)?.request).toEqual(whole.request);
});

test("a scrub that waits may as well begin at the beginning", () => {
  const book = new JobBook();
  const scrub = { kind: "scrub", isDry: false } as const;
  const { id } = book.add(scrub, true, 1);
  book.begin(id, 1);
  book.end(id, { kind: "later", why: "no room" }, 1000, 1);
  const whole = book.add({ ...scrub, isAnew: true }, false, 2);
  expect(whole).toMatchObject({ id, isOfSchedule: false, request: { isAnew: true, askedMicros: 2000 } });
  expect(book.next("store", 1000)).toEqual(whole);
});

test("what hurries more makes what is under way put back, and it goes on behind it", () => {
  const book = new JobBook();
  const slow = book.add(verify, true, 1);
  book.begin(slow.id, 1);
  expect(book.hurriesMore(0)).toBe(false);
  const hurried = book.add(index, false, 2);
  expect(book.hurriesMore(0)).toBe(true);
  book.putBack(slow.id);
  expect([book.runningIn("store")[0], book.next("store", 0)?.id]).toEqual([undefined, hurried.id]);
  book.begin(hurried.id, 3);
  expect(book.hurriesMore(0)).toBe(false);
});

test("what did not work just now waits ever longer, unless somebody asks for it", () => {
  const book = new JobBook();
  const { id } = book.add(verify, true, 1);
  const pauses: number[] = [];
  for (let round = 0; round < 10; round++) {
    book.begin(id, 1);
    book.end(id, { kind: "later", why: "no room" }, 1000, 1);
    expect(book.next("store", 1000)).toBeUndefined();
    const atMs = book.nextAtMs as number;
    pauses.push(atMs - 1000);
    expect([book.next("store", atMs)?.id, book.get(id)?.why]).toEqual([id, "no room"]);
  }
  expect([pauses[0], pauses[1], pauses.at(-1)]).toEqual([jobRetryMs, 2 * jobRetryMs, jobRetryMsMax]);
  book.add(verify, false, 2);
  expect(book.next("store", 1000)?.id).toBe(id);
});

test("after a restart what was under way waits to go on, what is over is known, and ids go on", () => {
  const book = new JobBook();
  const done = book.add(index, false, 1);
  book.begin(done.id, 1);
  book.end(done.id, { kind: "done", result }, 0, 2);
  const under = book.add(verify, false, 3);
  book.begin(under.id, 4);
  const next = new JobBook(JSON.parse(JSON.stringify(book.content)));
  expect([next.get(done.id)?.state, next.get(under.id)?.state, next.next("store", 0)?.id]).toEqual([
    "done",
    "waiting",
    under.id,
  ]);
  expect(next.add(index, false, 5).id).toBe(under.id + 1);
  expect(next.isDue("index", 10, 11)).toBe(false);
  expect(next.isDue("index", 10, 12)).toBe(true);
});

test("what waits is cancelled at once, what is over not at all", () => {
  const book = new JobBook();
  const { id } = book.add(verify, false, 1);
  book.cancel(id, 2);
  expect([book.get(id)?.state, book.next("store", 0)]).toEqual(["cancelled", undefined]);
  expect(() => book.cancel(id, 3)).toThrow(RefuseError);
});

test("what is to be done so often is due when that time has gone by since it was first known, or done", () => {
  const book = new JobBook();
  expect(book.isDue("verify", 100, 1000)).toBe(false);
  expect(book.isDue("verify", 100, 1099)).toBe(false);
  expect(book.isDue("verify", 100, 1100)).toBe(true);
  expect(book.isDue("verify", Number.POSITIVE_INFINITY, 1e15)).toBe(false);
  const { id } = book.add(verify, true, 1100);
  book.begin(id, 1100);
  book.end(id, { kind: "failed", why: "damaged" }, 0, 1200);
  expect([book.isDue("verify", 100, 1299), book.isDue("verify", 100, 1300)]).toEqual([false, true]);
  // The clock is put back by years: from there on it counts anew.
  expect([book.isDue("verify", 100, 50), book.isDue("verify", 100, 150)]).toEqual([false, true]);
});

test("of jobs that are over the newest are kept", () => {
  const book = new JobBook();
  for (let count = 0; count < jobsKeptMax + 3; count++) {
    const { id } = book.add(verify, false, 1);
    book.begin(id, 1);
    book.end(id, { kind: "done", result }, 0, 1);
  }
  expect([book.all.length, book.all[0]?.id]).toEqual([jobsKeptMax, 4]);
});

test("of each kind of job the last one is told where it went wrong, or has found something", () => {
  const job = { dryRun: false, by: "operator", made: "" } as const;
  const found = { isSound: false, figures: {}, lines: [] };
  expect(
    jobTroubles([
      { ...job, id: 1, kind: "verify", state: "failed", why: "damaged" },
      { ...job, id: 2, kind: "verify", state: "done", result },
      { ...job, id: 3, kind: "scrub", state: "done", result: found },
      { ...job, id: 4, kind: "scrub", state: "cancelled" },
      { ...job, id: 5, kind: "collect", state: "failed", why: "no such folder" },
      { ...job, id: 6, kind: "collect", state: "done", dryRun: true, result },
    ]),
  ).toEqual([
    "the last scrub of the store has found what must be looked at: 'tidemark job show 3' tells more",
    "the last collect of the store has failed: no such folder ('tidemark job show 5' tells more)",
  ]);
});

test("speed and time left are those of what is being done, not of what was before", () => {
  const meter = new JobMeter();
  expect(meter.progress).toBeUndefined();
  const tell = (what: string, done: number, total: number, pacedBytes: number, atMs: number) =>
    meter.told({ progress: { what, done, total, unit: "segments" }, pacedBytes }, atMs);
  tell("marks", 0, 0, 0, 0);
  tell("marks", 9, 0, 9_000_000, 1000);
  expect(meter.progress).toEqual({ what: "marks", done: 9, unit: "segments", bytes: 9e6, bytesPerSecond: 9e6 });
  tell("rewrites", 0, 100, 9_000_000, 2000);
  tell("rewrites", 10, 100, 9_500_000, 7000);
  expect(meter.progress).toMatchObject({ done: 10, total: 100, bytesPerSecond: 100_000, secondsLeft: 45 });
});
