/** The disks themselves, over many seeds: nothing that was synced is ever lost, and what was not may be there or not. */
import { expect, test } from "vitest";
import { shareOf } from "#test/long-share.ts";
import { cutAtBegin, cutAtWork } from "./append-trial.ts";
import { needPowerDisks } from "./power-disk.ts";

needPowerDisks();

const seedCountMax = 60;
/** A cut with this seed keeps all that was written and not flushed. */
const keepingSeed = 5;
/** A program's first sync is over by then. */
const firstRequests = 40;

test.each(["ext4", "xfs"] as const)("what was synced on %s is there", async (kind) => {
  for (let count = 0; count < shareOf(seedCountMax); count++) {
    const seed = 1000 + count;
    const remains = await cutAtWork(seed, kind);
    expect(remains.appendedFound, `seed ${seed}`).toBeGreaterThanOrEqual(remains.appendedSaid);
    expect(remains.publishedFound, `seed ${seed}`).toBeGreaterThanOrEqual(remains.publishedSaid);
  }
});

test.each(["ext4", "xfs"] as const)("what %s had not yet synced is there or not", async (kind) => {
  const more: boolean[] = [];
  // Request by request into the sync: at the first nothing is there, towards its end all is, and was not yet said.
  for (let requests = 1; requests <= firstRequests && !more.includes(true); requests++) {
    const remains = await cutAtBegin(requests, keepingSeed, kind);
    more.push(remains.appendedFound > remains.appendedSaid);
  }
  expect(more[0]).toBe(false);
  expect(more.at(-1)).toBe(true);
});
