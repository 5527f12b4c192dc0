/** When aggregates leave before their time: what they wait for must not be what makes hosts wait. */
import { expect, test } from "vitest";
import { Bench, policy } from "./appliance-bench.ts";

const aggregate = { everyMs: 3_600_000, bytesMax: 64 * 2 ** 20 };

test("a spool that fills with one block written again and again is emptied long before the hour", async () => {
  const it = new Bench();
  it.policy = { ...policy, aggregate };
  await it.start("aggregated");
  await it.rest(2000);
  it.remote.markAll(it.figures.lastSeq);
  for (let count = 0; count < 80; count++) {
    it.write(7, count);
    it.link.commit();
    await it.rest(10);
  }
  await it.rest(1000);
  expect(it.remote.aggregates.length).toBeGreaterThan(0);
});

test("what may be so old and no older at the remote leaves in half of that time", async () => {
  const it = new Bench();
  it.policy = { ...policy, aggregate, lagMsMax: 10_000 };
  await it.start("aggregated");
  await it.rest(2000);
  it.remote.markAll(it.figures.lastSeq);
  it.write(7, 1);
  it.link.commit();
  await it.rest(4000);
  expect(it.remote.aggregates.length).toBe(0);
  await it.rest(2000);
  expect(it.remote.aggregates.length).toBe(1);
});
