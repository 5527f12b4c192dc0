/** Groups of one thread that gather at the same time: the more there are, the longer each does. */
import { expect, test } from "vitest";
import { Crowd, crowdPatienceMax, crowdPerPatience } from "#src/appliance/crowd.ts";
import { Durability } from "#src/appliance/remote/durability.ts";
import { remoteSyncPatienceMsMin, shipperGatherMs } from "#src/core/limits.ts";
import { DirtyFiles } from "#src/journals/dirty-files.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { connected } from "./local/shipping-world.ts";

function enter(crowd: Crowd, count: number): void {
  for (let one = 0; one < count; one++) crowd.entered();
}

test("among few each gathers for as long as alone, among many for longer, up to a bound", () => {
  const crowd = new Crowd();
  const patience = [crowd.patience];
  for (const count of [crowdPerPatience - 1, 1, crowdPerPatience, 1000 * crowdPerPatience]) {
    enter(crowd, count);
    patience.push(crowd.patience);
  }
  expect(patience).toEqual([1, 1, 2, 3, crowdPatienceMax]);
});

test("batches of a group among many leave later, and whoever has sent his does not count any more", async () => {
  const world = await connected({ mode: "async" });
  enter(world.crowd, crowdPerPatience - 1);
  const first = world.write(1, [1]).commit();
  await world.pass(shipperGatherMs);
  expect(world.remote.received).toBe(first);
  world.crowd.entered();
  const second = world.write(2, [2]).commit();
  await world.pass(shipperGatherMs);
  expect(world.remote.received).toBe(first);
  await world.pass(shipperGatherMs);
  expect(world.remote.received).toBe(second);
  world.write(3, [3]).commit();
  world.cut();
  for (let one = 0; one < crowdPerPatience; one++) world.crowd.left();
  expect(() => world.crowd.left()).toThrow("has entered");
});

test("what somebody waits for in sync is not held up by the number of groups", async () => {
  const world = await connected({ mode: "sync" });
  enter(world.crowd, 10 * crowdPerPatience);
  const first = world.write(1, [1]).commit(true);
  expect(world.remote.received).toBe(first);
  const second = world.write(2, [2]).commit(true);
  expect(world.remote.received).toBe(first);
  await world.pass(shipperGatherMs);
  expect(world.remote.received).toBe(second);
});

test("nor by what nobody waits for, in front of it or behind it", async () => {
  const world = await connected({ mode: "sync" });
  enter(world.crowd, 10 * crowdPerPatience);
  const first = world.write(1, [1]).commit(true);
  world.write(2, [2]).commit();
  world.write(3, [3]).commit(true);
  const last = world.write(4, [4]).commit();
  expect(world.remote.received).toBe(first);
  await world.pass(shipperGatherMs);
  expect(world.remote.received).toBe(last);
});

test("what has landed of a group among many is synced later", async () => {
  const simulation = new Simulation(1);
  const { clock, files } = simulation.host("remote");
  const crowd = new Crowd();
  const dirty = new DirtyFiles(files);
  const parts = { clock, dirty, crowd, afterMs: 1_000, afterBytes: 1_000, failed: () => {} };
  const handle = files.create("/file");
  const synced: number[] = [];
  let writtenSeq = 0;
  const durability = new Durability(
    { ...parts, writtenSeq: () => writtenSeq, synced: () => synced.push(writtenSeq) },
    0,
  );
  const write = (): void => {
    handle.writeNow(Buffer.alloc(1), 0, 1, writtenSeq);
    dirty.written(handle);
    writtenSeq++;
    durability.written(1);
  };
  enter(crowd, crowdPerPatience);
  write();
  await simulation.clock.pass(remoteSyncPatienceMsMin * 1.5, () => false);
  expect(synced).toEqual([]);
  await simulation.clock.pass(remoteSyncPatienceMsMin, () => false);
  expect(synced).toEqual([1]);
  write();
  await durability.stop();
  for (let one = 0; one < crowdPerPatience; one++) crowd.left();
  expect(() => crowd.left()).toThrow("has entered");
});
