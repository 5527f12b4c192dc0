/** The disks themselves, over many seeds: nothing that was synced is ever lost, and what was not sometimes is. */
import { expect, test } from "vitest";
import { shareOf } from "#test/long-share.ts";
import { cutAtWork } from "./append-trial.ts";
import { needPowerDisks } from "./power-disk.ts";

needPowerDisks();

const seedCountMax = 60;

test.each(["ext4", "xfs"] as const)("what was synced on %s is there, what was not is there or not", async (kind) => {
  let more = 0;
  let exact = 0;
  // A share of the seeds, and more of them until both kinds of remains were seen.
  for (let count = 0; count < seedCountMax && (count < shareOf(seedCountMax) || more === 0 || exact === 0); count++) {
    const seed = 1000 + count;
    const remains = await cutAtWork(seed, kind);
    expect(remains.appendedFound, `seed ${seed}`).toBeGreaterThanOrEqual(remains.appendedSaid);
    expect(remains.publishedFound, `seed ${seed}`).toBeGreaterThanOrEqual(remains.publishedSaid);
    if (remains.appendedFound > remains.appendedSaid) more++;
    else exact++;
  }
  expect(more).toBeGreaterThan(0);
  expect(exact).toBeGreaterThan(0);
});
