import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { Wakefulness } from "#src/host/node/wakefulness.ts";

/** Turns of the event loop that go by while nothing but the wakefulness keeps them going. */
async function turnsAwake(wakefulness: Wakefulness, answerAfterTurns: number): Promise<number> {
  const spy = vi.spyOn(globalThis, "setImmediate");
  wakefulness.expectAnswer();
  let turns = 0;
  for (; ; turns++) {
    const before = spy.mock.calls.length;
    if (turns === answerAfterTurns) wakefulness.answered();
    await nextTurn();
    if (turns > 0 && spy.mock.calls.length === before) break;
  }
  spy.mockRestore();
  return turns;
}

test("a thread whose peer answers at once stays awake each time", async () => {
  const wakefulness = new Wakefulness();
  for (let time = 0; time < 20; time++) expect(await turnsAwake(wakefulness, 0)).toBeGreaterThan(0);
});

test("where answers never come in time, staying awake is given up ever more often", async () => {
  const wakefulness = new Wakefulness();
  const spy = vi.spyOn(globalThis, "setImmediate");
  let awake = 0;
  for (let time = 0; time < 64; time++) {
    const before = spy.mock.calls.length;
    wakefulness.expectAnswer();
    if (spy.mock.calls.length > before) awake++;
    // Longer than any period.
    const until = performance.now() + 1;
    while (performance.now() < until) await nextTurn();
  }
  spy.mockRestore();
  expect(awake).toBe(6);
});
