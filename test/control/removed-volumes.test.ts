import { expect, test } from "vitest";
import { Catalogue } from "#src/control/catalogue.ts";
import { VolumeKeeper } from "#src/control/volume-keeper.ts";
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { driven } from "#test/contract/driver.ts";
import { apiDriver } from "./http/api-driver.ts";
import { ScriptedSide } from "./http/scripted-side.ts";

const request = { name: "disk", source: "/s", group: "g" };

function world() {
  const side = new ScriptedSide();
  const driver = apiDriver(side.simulation.clock);
  const done = <Result>(promise: Promise<Result>): Promise<Result> => driven(driver, promise);
  const pass = (durationMs: number) => side.simulation.clock.pass(durationMs, () => false);
  const told = (): unknown[] => side.asked.filter((ask) => "forgetVolume" in (ask as object));
  const removed = (): readonly string[] => Catalogue.open(side.host.files, "/volumes.json").removed;
  return { side, done, pass, told, removed };
}

test("the local appliance is told of a volume that was removed, once its interceptor has let go of it", async () => {
  const { side, done, removed } = world();
  const { id } = await done(side.keeper.add(request));
  await done(side.keeper.remove("disk", false));
  expect(side.asked.slice(-2)).toEqual([{ removeVolume: { name: "disk", isForced: false } }, { forgetVolume: { id } }]);
  expect(removed()).toEqual([]);
});

test("where it cannot be told now, it is told until it was, and the volume is removed meanwhile", async () => {
  const { side, done, pass, told, removed } = world();
  const { id } = await done(side.keeper.add(request));
  side.refusals.set("forgetVolume", new RetryError("a volume is attached"));
  await done(side.keeper.remove("disk", false));
  expect([side.keeper.find("disk"), removed()]).toEqual([undefined, [id]]);
  await pass(60_000);
  const tries = told().length;
  expect(tries).toBeGreaterThan(5);
  side.refusals.delete("forgetVolume");
  await pass(20_000);
  expect([told().length, removed()]).toEqual([tries + 1, []]);
  await pass(60_000);
  expect(told().length).toBe(tries + 1);
});

test("what it was not told before the end it is told after the next start", async () => {
  const { side, done, pass, told, removed } = world();
  const { id } = await done(side.keeper.add(request));
  side.refusals.set("forgetVolume", new RetryError("the local appliance is not there"));
  await done(side.keeper.remove("disk", false));
  await done(side.client.ask("stop", null));
  const tries = told().length;
  await pass(60_000);
  expect(told().length).toBe(tries);
  side.refusals.delete("forgetVolume");
  const next = new ScriptedSide();
  const { clock, log, randomness } = next.host;
  const catalogue = Catalogue.open(side.host.files, "/volumes.json");
  new VolumeKeeper({ catalogue, side: next.client, clock, log, randomness }).openAll();
  await next.simulation.clock.pass(1_000, () => false);
  await pass(1_000);
  expect(next.asked).toEqual([{ forgetVolume: { id } }]);
  expect(removed()).toEqual([]);
});

test("a volume that could not be added may have come as far as its group, which forgets it", async () => {
  const { side, done, pass, told } = world();
  side.refusals.set("addVolume", new RefuseError("no"));
  await expect(done(side.keeper.add(request))).rejects.toThrow("no");
  await pass(100);
  expect(told()).toHaveLength(1);
});
