import { expect, test } from "vitest";
import { settled } from "#src/control/settling.ts";
import { Simulation } from "#test/sim/simulation.ts";

async function waitedMs(soAfterMs: number): Promise<number> {
  const simulation = new Simulation(1);
  const { clock } = simulation.host("a");
  const beganMs = clock.monotonicMs();
  let endedMs = Number.NaN;
  const waiting = settled(() => clock.monotonicMs() - beganMs >= soAfterMs, clock, 1000).then(() => {
    endedMs = clock.monotonicMs();
  });
  await simulation.clock.settle();
  await waiting;
  return endedMs - beganMs;
}

test("what is so already is not waited for", async () => {
  expect(await waitedMs(0)).toBe(0);
});

test("what comes soon is waited for, and no longer", async () => {
  const waited = await waitedMs(300);
  expect(waited).toBeGreaterThanOrEqual(300);
  expect(waited).toBeLessThan(400);
});

test("what does not come is given up", async () => {
  const waited = await waitedMs(Number.POSITIVE_INFINITY);
  expect(waited).toBeGreaterThanOrEqual(1000);
  expect(waited).toBeLessThan(1100);
});
