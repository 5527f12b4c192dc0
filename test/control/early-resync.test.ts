/** A resync that is ordered before its volume is open is carried out when it opens, whatever happens until then. */
import { expect, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { InterceptorPart, type OpenVolume } from "#src/control/interceptor-part.ts";
import { RefuseError } from "#src/core/errors.ts";
import { MiB } from "#src/core/limits.ts";
import { shareCounters } from "#src/host/node/counters.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { systemError } from "#test/sim/system-error.ts";
import { ResizeWorld } from "./resize-world.ts";

const { config } = loadConfig({ environment: {}, assignments: ["data=/data"], folder: "/" });
const secrets = { nbdTls: undefined, wireTls: undefined, wireToken: "0" };
const id = "1".repeat(32);
const definition = { id, name: "disk", group: "g", source: "/s", sizeBytes: 4096, baseMissing: false };

class World {
  readonly simulation = new Simulation(1);
  readonly host = this.simulation.host("a");
  /** Whether each attempt took the source as it is. */
  readonly taken: boolean[] = [];
  closed = 0;
  resyncs = 0;
  /** An attempt ends with it. */
  opening: Promise<unknown> = Promise.resolve();

  async start(): Promise<InterceptorPart> {
    const { files } = this.host;
    for (const folder of ["/data", "/data/interceptor"]) files.makeFolder(folder);
    for (const folder of ["/", "/data"]) await this.run(new Promise((done) => files.syncFolder(folder, done)));
    const settings = { config, roles: ["interceptor"], secrets, counters: shareCounters([], []) } as const;
    return this.run(InterceptorPart.start(this.host, { open: (_, takesSource) => this.#open(takesSource) }, settings));
  }

  async #open(takesSource: boolean): Promise<OpenVolume> {
    this.taken.push(takesSource);
    await this.opening;
    const close = async () => void this.closed++;
    const resync = async () => void this.resyncs++;
    return { volume: definition, close, resync } as unknown as OpenVolume;
  }

  run<Result>(promise: Promise<Result>): Promise<Result> {
    return driven(simDriver(this.simulation.clock), promise);
  }
}

test("while it is being opened: it is opened once more, with its source as it is, before any host sees it", async () => {
  const world = new World();
  const part = await world.start();
  const opening = Promise.withResolvers<void>();
  world.opening = opening.promise;
  const added = part.addVolume(definition, false);
  await world.run(part.resync("disk"));
  expect(part.volumes()).toMatchObject([{ state: "opening", why: expect.stringContaining("a resync is ordered") }]);
  opening.resolve();
  await world.run(added);
  expect([world.taken, world.closed]).toEqual([[false, true], 1]);
  await world.run(part.resync("disk"));
  expect(world.resyncs).toBe(1);
});

test("faults 9 and 10: between two attempts, and before a loss of power: the next start carries it out, and that once", async () => {
  const world = new World();
  const part = await world.start();
  world.opening = Promise.reject(new RefuseError("an old image"));
  world.opening.catch(() => {});
  part.addVolume(definition, false).catch(() => {});
  await simDriver(world.simulation.clock).until(() => part.volumes()[0]?.why === "an old image");
  await world.run(part.resync("disk"));
  world.host.cutPower();
  world.opening = Promise.resolve();
  for (const takesSource of [true, false]) {
    world.taken.length = 0;
    const next = await world.start();
    await world.run(next.addVolume(definition, false));
    expect(world.taken).toEqual([takesSource]);
    world.host.cutPower();
  }
});

test.each(["create", "sync"])("where it cannot be noted durably that is said (%s)", async (what) => {
  const world = new World();
  const part = await world.start();
  const opening = Promise.withResolvers<void>();
  world.opening = opening.promise;
  part.addVolume(definition, false).catch(() => {});
  const { files, disk } = world.host;
  if (what === "sync") disk.failNext("sync", "ENOSPC");
  else {
    files.create = (path) => {
      throw systemError("ENOSPC", path);
    };
  }
  await expect(world.run(part.resync("disk"))).rejects.toThrow("could not be noted durably: the disk is full");
  opening.resolve();
});

test("what somebody else wrote to the source before is in the journal then", async () => {
  const world = await ResizeWorld.begun(3);
  await world.write(20);
  world.crash(true);
  const image = world.host.files.open("/source", "readWrite");
  image.writeNow(Buffer.alloc(MiB, 0x5a), 0, MiB, 0);
  image.close();
  await world.start((part) => part.resync("disk"));
  await world.expectCopied();
});
