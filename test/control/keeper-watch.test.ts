import { expect, test } from "vitest";
import { KeeperWatch } from "#src/control/keeper-watch.ts";
import { keeperBeatMs, keeperPatienceMs, keeperPatienceMsMax, keeperSilenceMs } from "#src/core/store-limits.ts";

const startMs = 1_000_000;

function beating(watch: KeeperWatch, untilMs: number, stepsAt: (nowMs: number) => number): void {
  for (let nowMs = startMs; nowMs <= untilMs; nowMs += keeperBeatMs) watch.beat(nowMs, stepsAt(nowMs));
}

test("one that gets on is no trouble, however long it takes", () => {
  const watch = new KeeperWatch();
  watch.began(startMs);
  beating(watch, startMs + 10 * keeperPatienceMs, (nowMs) => nowMs);
  const nowMs = startMs + 10 * keeperPatienceMs;
  expect([watch.trouble(nowMs), watch.shouldEnd(nowMs)]).toEqual([undefined, false]);
});

test("fault 17: one that says nothing is told of, and ended after a time", () => {
  const watch = new KeeperWatch();
  watch.began(startMs);
  expect(watch.trouble(startMs + keeperSilenceMs - 1)).toBeUndefined();
  expect(watch.trouble(startMs + keeperSilenceMs)).toContain("has not answered for 60 s");
  expect(watch.shouldEnd(startMs + keeperPatienceMs - 1)).toBe(false);
  expect(watch.shouldEnd(startMs + keeperPatienceMs)).toBe(true);
});

test("one that lives and gets nowhere is told of too, and ended", () => {
  const watch = new KeeperWatch();
  watch.began(startMs);
  beating(watch, startMs + keeperPatienceMs, () => 7);
  const nowMs = startMs + keeperPatienceMs + keeperBeatMs;
  expect(watch.trouble(nowMs)).toContain("has got nowhere");
  expect(watch.shouldEnd(nowMs)).toBe(true);
});

test("whoever was ended for nothing has twice as long the next time, and the next that does something as long as ever", () => {
  const watch = new KeeperWatch();
  const patienceMs = () => {
    watch.began(startMs);
    let lengthMs = 0;
    while (!watch.shouldEnd(startMs + lengthMs)) lengthMs += keeperBeatMs;
    return lengthMs;
  };
  expect(patienceMs()).toBe(keeperPatienceMs);
  watch.ended();
  expect(patienceMs()).toBe(2 * keeperPatienceMs);
  for (let count = 0; count < 10; count++) watch.ended();
  expect(patienceMs()).toBe(keeperPatienceMsMax);
  watch.answered(startMs);
  expect(patienceMs()).toBe(keeperPatienceMs);
});
