/** The disks themselves, over many seeds: nothing that was synced is ever lost, and what was not sometimes is. */
import { expect, test } from "vitest";
import { cutAtWork } from "./append-trial.ts";
import { needPowerDisks } from "./power-disk.ts";

needPowerDisks();

const seeds = Array.from({ length: 60 }, (_, index) => 1000 + index);

test.each(["ext4", "xfs"] as const)("what was synced on %s is there, what was not is there or not", async (kind) => {
  let more = 0;
  let exact = 0;
  for (const seed of seeds) {
    const remains = await cutAtWork(seed, kind);
    expect(remains.appendedFound, `seed ${seed}`).toBeGreaterThanOrEqual(remains.appendedSaid);
    expect(remains.publishedFound, `seed ${seed}`).toBeGreaterThanOrEqual(remains.publishedSaid);
    if (remains.appendedFound > remains.appendedSaid) more++;
    else exact++;
  }
  expect(more).toBeGreaterThan(0);
  expect(exact).toBeGreaterThan(0);
});
