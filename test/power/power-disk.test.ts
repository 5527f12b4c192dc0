/** The disks themselves, tried with a small program: what was synced is there after a cut, and who forgets a sync is caught. */
import { expect, test } from "vitest";
import { cutAtRest, cutAtWork } from "./append-trial.ts";
import { needPowerDisks } from "./power-disk.ts";

needPowerDisks();

test.each([
  [1, "ext4"],
  [2, "ext4"],
  [3, "xfs"],
] as const)("what was synced is there after the power was cut: seed %i, %s", async (seed, kind) => {
  const remains = await cutAtWork(seed, kind);
  expect(remains.appendedFound).toBeGreaterThanOrEqual(remains.appendedSaid);
  expect(remains.publishedFound).toBeGreaterThanOrEqual(remains.publishedSaid);
});

test("a program that was careful has lost nothing when it was at rest", async () => {
  const remains = await cutAtRest("careful", 4);
  expect(remains).toEqual({ appendedSaid: 29, appendedFound: 29, publishedSaid: 29, publishedFound: 29 });
});

test("a program that forgets to sync its file loses what it said was durable", async () => {
  expect((await cutAtRest("no file sync", 5)).appendedFound).toBeLessThan(29);
});

test("a program that forgets to sync its folder loses the last name that it gave", async () => {
  expect((await cutAtRest("no folder sync", 6)).publishedFound).toBeLessThan(29);
});
