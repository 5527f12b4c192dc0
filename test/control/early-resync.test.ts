/** A resync that is ordered before its volume is open is carried out when it opens, whatever happens until then. */
import { expect, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { InterceptorPart, type OpenVolume } from "#src/control/interceptor-part.ts";
import { RefuseError } from "#src/core/errors.ts";
import { MiB } from "#src/core/limits.ts";
import { shareCounters } from "#src/host/node/counters.ts";
import { driven } from "#test/contract/driver.ts";
import { promisesSettled } from "#test/sim/sim-clock.ts";
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
  /** Orders, and what carries one out. */
  readonly course: ("order" | "taken" | "resync")[] = [];
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
    if (takesSource) this.course.push("taken");
    await this.opening;
    const close = async () => void this.closed++;
    const resync = async () => {
      this.resyncs++;
      this.course.push("resync");
    };
    return { volume: definition, close, resync } as unknown as OpenVolume;
  }

  order(part: InterceptorPart): Promise<void> {
    this.course.push("order");
    return part.resync("disk");
  }

  /** So many events, and of what the last one begins so many turns. */
  async pass(events: number, turns: number): Promise<void> {
    for (let count = 0; count < events; count++) {
      await promisesSettled();
      this.simulation.clock.step();
    }
    for (let count = 0; count < turns; count++) await Promise.resolve();
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

const moments = Array.from({ length: 6 * 6 }, (_, index) => {
  const [events, turns] = [Math.floor(index / 6), index % 6];
  /** Power is lost when the order is answered, and not as soon as hosts may write. */
  return { events, turns, isAnswered: (events + turns) % 2 === 1 };
});

test.each([
  ["an order", "the end of the opening", false],
  ["an order", "the end of an opening that carries out one", true],
  ["the end of the opening", "an order", false],
  ["the end of an opening that carries out one", "an order", true],
])(
  "faults 9 and 10: %s, and at any moment behind it %s: it is carried out, and the next start knows of none",
  async (first, _, isOneGiven) => {
    for (const { events, turns, isAnswered } of moments) {
      const world = new World();
      const part = await world.start();
      const opening = Promise.withResolvers<void>();
      world.opening = Promise.reject(new RefuseError("an old image"));
      world.opening.catch(() => {});
      const added = part.addVolume(definition, false);
      await simDriver(world.simulation.clock).until(() => part.volumes()[0]?.why === "an old image");
      world.opening = opening.promise;
      if (isOneGiven) await world.run(world.order(part));
      await simDriver(world.simulation.clock).until(() => world.taken.length === 2);
      let ordered = Promise.resolve();
      if (first === "an order") ordered = world.order(part);
      else opening.resolve();
      await world.pass(events, turns);
      if (first === "an order") opening.resolve();
      else ordered = world.order(part);
      await world.run(added);
      if (isAnswered) await world.run(ordered);
      const { course } = world;
      const isCarriedOut = course.lastIndexOf("order") < course.length - 1;
      world.host.cutPower();
      world.taken.length = 0;
      const next = await world.start();
      await world.run(next.addVolume(definition, false));
      const found = { events, turns, isAnswered, course };
      expect({ ...found, isCarriedOut, taken: world.taken }).toEqual({ ...found, isCarriedOut: true, taken: [false] });
    }
  },
);

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
