/** A volume over an export is to be resized: what is against that is seen before an order keeps the volume waiting for it. */
import { expect, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { InterceptorPart, type OpenVolume } from "#src/control/interceptor-part.ts";
import { noFigures, type VolumeDefinition } from "#src/control/role.ts";
import { fitSource } from "#src/control/source-fit.ts";
import { MiB } from "#src/core/limits.ts";
import { shareCounters } from "#src/host/node/counters.ts";
import { NbdServer } from "#src/nbd/server.ts";
import { driven } from "#test/contract/driver.ts";
import { ScriptedExport } from "#test/hostile/scripted-export.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

const { config } = loadConfig({ environment: {}, assignments: ["data=/data"], folder: "/" });
const secrets = { nbdTls: undefined, wireTls: undefined, wireToken: "0" };
const source = "nbd+unix:///x?socket=/served";
const id = "1".repeat(32);
const definition: VolumeDefinition = { id, name: "disk", group: "g", source, sizeBytes: 10 * MiB, baseMissing: false };

/** Its volume has 10 MiB and is open; its export was made larger meanwhile. */
class World {
  readonly simulation = new Simulation(1);
  readonly host = this.simulation.host("a");
  readonly target = new ScriptedExport({ sizeBytes: 20 * MiB });
  /** Nobody else may look at it while the volume has it. */
  hasRoomForOne = false;
  isOpen = false;
  part!: InterceptorPart;

  static async begun(): Promise<World> {
    const world = new World();
    const { host, target } = world;
    const find = () => (world.hasRoomForOne && world.isOpen ? undefined : target);
    const server = new NbdServer({
      ...{ exports: { find, list: () => [target] }, sockets: host.sockets, clock: host.clock, report: () => {} },
    });
    await world.run(server.listen({ kind: "unix", path: "/served" }));
    const settings = { config, roles: ["interceptor"], secrets, counters: shareCounters([], []) } as const;
    world.part = await world.run(InterceptorPart.start(host, { open: (volume) => world.#open(volume) }, settings));
    await world.run(world.part.addVolume(definition, false));
    return world;
  }

  async #open(volume: VolumeDefinition): Promise<OpenVolume> {
    this.isOpen = true;
    const close = async () => {
      this.isOpen = false;
    };
    return { volume, close, figures: () => ({ ...noFigures, state: "open" }) } as unknown as OpenVolume;
  }

  run<Result>(promise: Promise<Result>): Promise<Result> {
    return driven(simDriver(this.simulation.clock), promise);
  }

  released(wantedBytes: number): Promise<string | null> {
    return this.run(this.part.releaseVolume(definition, wantedBytes));
  }
}

const advice = `give it ${21 * MiB}, and then resize the volume, or resize it to the ${20 * MiB} bytes that its source has`;

test("where its server lets somebody look, a size that it does not have leaves the volume open", async () => {
  const world = await World.begun();
  await expect(world.released(21 * MiB)).rejects.toThrow(advice);
  expect(world.isOpen).toBe(true);
  expect(await world.released(20 * MiB)).toBe(null);
  expect(world.isOpen).toBe(false);
});

test("where it has room for one alone, that is said when the volume has ended, before anything is ordered", async () => {
  const world = await World.begun();
  world.hasRoomForOne = true;
  expect(await world.released(21 * MiB)).toContain(advice);
  await world.run(world.part.addVolume(definition, false));
  expect(await world.released(20 * MiB)).toBe(null);
});

test("one that cannot be looked at then either keeps its size", async () => {
  const world = await World.begun();
  world.host.sockets.connect = () => Promise.reject(new Error("nothing listens there"));
  const refusal = await world.released(20 * MiB);
  expect(refusal).toContain("cannot be looked at, and the volume keeps its size");
  expect(refusal).toContain("nothing listens there");
});

test("what was ordered, and its source does not have, says what it waits for", async () => {
  const world = await World.begun();
  const fitted = world.run(fitSource(world.host, { ...definition, resizeTo: 21 * MiB }));
  await expect(fitted).rejects.toThrow("give it those, and the volume opens by itself");
});
