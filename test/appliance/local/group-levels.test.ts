import { expect, test } from "vitest";
import { recordType } from "#src/records/record.ts";
import { type Bench, startBench } from "./appliance-bench.ts";

function levels(it: Bench): number {
  return it.shippedTypes.filter((type) => type === "level").length;
}

async function write(it: Bench): Promise<void> {
  it.write(5, 1);
  it.link.commit();
  it.remote.markAll(it.figures.lastSeq);
  await it.rest();
}

test("a level is switched by a record, and intervals in which something came end with one", async () => {
  const it = await startBench("async");
  await write(it);
  await it.done(it.appliance.setLevel("g", "disk", 10));
  await it.rest();
  expect(it.shippedTypes.slice(-2)).toEqual(["write", "level"]);
  expect(it.figures.levels).toEqual([{ volume: "disk", seconds: 10 }]);
  for (let count = 0; count < 50; count++) {
    await write(it);
    await it.rest(900);
  }
  await it.rest(15_000);
  expect(levels(it)).toBeGreaterThanOrEqual(1 + 5);
  expect(levels(it)).toBeLessThanOrEqual(1 + 6);
  const { lastSeq } = it.figures;
  await it.rest(120_000);
  expect(it.figures.lastSeq).toBe(lastSeq);
});

test("a volume back at every write has no intervals", async () => {
  const it = await startBench("async");
  await it.done(it.appliance.setLevel("g", "disk", 1));
  await it.done(it.appliance.setLevel("g", "disk", 0));
  await it.rest(2000);
  expect(levels(it)).toBe(2);
  for (let count = 0; count < 5; count++) {
    await write(it);
    await it.rest(2000);
  }
  expect(levels(it)).toBe(2);
});

test("fault 6: a start states the level anew, whatever of it was lost", async () => {
  const it = await startBench("async");
  await it.done(it.appliance.setLevel("g", "disk", 60));
  await write(it);
  it.host.cutPower();
  it.remote.shipped.length = 0;
  await it.start();
  await it.rest(2000);
  expect(levels(it)).toBeGreaterThanOrEqual(1);
});

test("a volume that is not there has no level", async () => {
  const it = await startBench("async");
  await expect(it.done(it.appliance.setLevel("g", "other", 10))).rejects.toThrow("has no volume 'other'");
});

test("of volumes of one name the newest has the level: what was removed and added again is another one", async () => {
  const it = await startBench("async");
  await it.done(it.appliance.setLevel("g", "disk", 60));
  it.link.detach();
  it.identity = { ...it.identity, id: "bb" };
  await it.attach();
  expect([it.figures.volumeNames, it.figures.levels]).toEqual([["disk"], undefined]);
  await it.done(it.appliance.setLevel("g", "disk", 10));
  expect(it.figures.levels).toEqual([{ volume: "disk", seconds: 10 }]);
  await it.rest();
  expect(it.remote.shipped.findLast(({ type }) => type === recordType.level)?.volume).toBe(2);
});
