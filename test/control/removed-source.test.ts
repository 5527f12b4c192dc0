/** A volume whose source stands still is removed all the same, and it is said that the source is held. */
import { expect, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { InterceptorPart, type OpenVolume } from "#src/control/interceptor-part.ts";
import { removalPatienceMs } from "#src/core/volume-limits.ts";
import { shareCounters } from "#src/host/node/counters.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { ScriptedSide } from "./http/scripted-side.ts";

const { config } = loadConfig({ environment: {}, assignments: ["data=/data"], folder: "/" });
const secrets = { nbdTls: undefined, wireTls: undefined, wireToken: "0" };
const definition = { id: "1".repeat(32), name: "disk", group: "g", source: "/s", sizeBytes: 4096, baseMissing: false };
const farewell = { name: "disk", writes: 0, isDurable: false };

async function world() {
  const simulation = new Simulation(1);
  const opening = Promise.withResolvers<void>();
  const closing = Promise.withResolvers<void>();
  const volume = { volume: definition, close: () => closing.promise.then(() => farewell) } as unknown as OpenVolume;
  const opener = { open: () => opening.promise.then(() => volume) };
  const settings = { config, roles: ["interceptor"], secrets, counters: shareCounters([], []) } as const;
  const run = <Result>(promise: Promise<Result>): Promise<Result> => driven(simDriver(simulation.clock), promise);
  const host = simulation.host("a");
  const part = await run(InterceptorPart.start(host, opener, settings));
  return { part, run, opening, closing, nowMs: () => host.clock.monotonicMs() };
}

test.each([
  ["while it is open", "source"],
  ["while it is being opened", "opening"],
] as const)("what stands still keeps nobody from removing its volume, %s", async (_, hold) => {
  const { part, run, opening, closing, nowMs } = await world();
  const added = part.addVolume(definition, false);
  added.catch(() => {});
  if (hold === "source") {
    opening.resolve();
    await run(added);
  }
  const beganMs = nowMs();
  expect(await run(part.removeVolume("disk", false))).toBe(hold);
  expect(nowMs() - beganMs).toBe(removalPatienceMs);
  expect(part.volumes()).toEqual([]);
  opening.resolve();
  closing.resolve();
  // Nothing of it is left in the way of another one of its name.
  expect((await run(part.addVolume(definition, false))).volume).toEqual(definition);
  expect(await run(part.removeVolume("disk", false))).toBe(null);
});

test("whoever removes it is told what that means", async () => {
  const side = new ScriptedSide();
  const run = <Result>(promise: Promise<Result>): Promise<Result> => driven(simDriver(side.simulation.clock), promise);
  const removed = async () => run(side.control.removeVolume("disk", { isForced: false, isConfirmed: true }));
  await run(side.keeper.add({ name: "disk", source: "/s", group: "g" }));
  side.hold = "source";
  expect((await removed()).sourceHeld).toContain("/s does not answer, and is held until it does");
  side.hold = "opening";
  await run(side.keeper.add({ name: "disk", source: "/s", group: "g" }));
  const { sourceHeld } = await removed();
  expect(sourceHeld).toContain("/s is held until the volume's opening has come to its end");
  expect(sourceHeld).toContain("in sync, the remote appliance not have yet what the source lacks");
  side.hold = null;
  await run(side.keeper.add({ name: "disk", source: "/s", group: "g" }));
  expect(await removed()).toEqual({});
});
