/** The end of a program whose volumes are still being opened, by what may only end with the program. */
import { expect, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { InterceptorPart, type OpenVolume } from "#src/control/interceptor-part.ts";
import { shutdownGraceMs } from "#src/core/limits.ts";
import { shareCounters } from "#src/host/node/counters.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

const { config } = loadConfig({ environment: {}, assignments: ["data=/data"], folder: "/" });
const secrets = { nbdTls: undefined, wireTls: undefined, wireToken: "0" };
const definition = { id: "1".repeat(32), name: "disk", group: "g", source: "/s", sizeBytes: 4096, baseMissing: false };
const never = new Promise<never>(() => {});

async function world(open: () => Promise<OpenVolume>) {
  const simulation = new Simulation(1);
  const run = <Result>(promise: Promise<Result>): Promise<Result> => driven(simDriver(simulation.clock), promise);
  const settings = { config, roles: ["interceptor"], secrets, counters: shareCounters([], []) } as const;
  const host = simulation.host("a");
  const part = await run(InterceptorPart.start(host, { open }, settings));
  return { part, run, nowMs: () => host.clock.monotonicMs() };
}

test("a volume whose opening does not end is left after a while", async () => {
  const { part, run, nowMs } = await world(() => never);
  part.addVolume(definition, false).catch(() => {});
  const beganMs = nowMs();
  expect(await run(part.stop())).toEqual([]);
  expect(nowMs() - beganMs).toBe(shutdownGraceMs);
});

test("so is one that is being unfenced, and it is said that the next start goes on with it", async () => {
  const figures = () => ({ state: "redoing", writes: 7 });
  const { part, run } = await world(async () => ({ volume: definition, figures, close: () => never }) as never);
  await run(part.addVolume(definition, false));
  expect(await run(part.stop())).toEqual([{ name: "disk", writes: 7, isDurable: false }]);
});

test("one that opens in time is closed in order", async () => {
  const opening = Promise.withResolvers<OpenVolume>();
  const { part, run } = await world(() => opening.promise);
  part.addVolume(definition, false).catch(() => {});
  const stopped = part.stop();
  let isClosed = false;
  const close = async () => {
    isClosed = true;
  };
  opening.resolve({ volume: definition, figures: () => ({ state: "open" }), close } as never);
  await run(stopped);
  expect(isClosed).toBe(true);
});
