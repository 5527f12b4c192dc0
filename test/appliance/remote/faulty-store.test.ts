/** A store on a service whose word cannot be relied on, under sealing, reading and recovery as they are. */
import { expect, test } from "vitest";
import type { RemoteGroupStatus } from "#src/appliance/remote/remote-group-status.ts";
import type { ObjectInfo, Objects } from "#src/store/objects.ts";
import { wireBatch } from "#test/journals/wire-batch.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { anyFaults, FaultyObjects } from "#test/store/faulty-objects.ts";
import { LocalModel } from "./local-model.ts";
import { groupA, hello, type LocalPeer, RemoteWorld } from "./remote-world.ts";

const quiet = { chances: {}, delayMsMax: 0, lateMsMax: 0 };

class FaultyWorld extends RemoteWorld {
  service!: FaultyObjects;
  faults = quiet as FaultyObjects["faults"];
  readonly #services: FaultyObjects[] = [];

  constructor(seed: number, options = {}) {
    super(seed, { sealAfterMs: 1000, sealRetryMs: 100, keptPieceBytes: 0, ...options }, { hasStore: true });
    this.objectsOf = (inner) => {
      const random = this.simulation.random.fork(`service ${this.host.clock.monotonicMs()}`);
      this.service = new FaultyObjects({ inner, clock: this.host.clock, random });
      this.service.faults = this.faults;
      this.#services.push(this.service);
      return this.service;
    };
  }

  /** In all lives. */
  get faultCount(): number {
    return this.#services.reduce((sum, { faultCount }) => sum + faultCount, 0);
  }

  set(faults: FaultyObjects["faults"]): void {
    this.faults = faults;
    if (this.service !== undefined) this.service.faults = faults;
  }

  get status(): RemoteGroupStatus {
    const [status] = this.appliance.status();
    return status ?? expect.unreachable("there is a group");
  }

  async wait(delayMs: number): Promise<void> {
    let isOver = false;
    this.host.clock.timer(delayMs, () => {
      isOver = true;
    });
    await this.driver.until(() => isOver);
  }

  async stored(peer: LocalPeer, seq: number): Promise<void> {
    await this.driver.until(() => peer.last.stored >= seq);
  }

  objectNames(folder: string): string[] {
    return this.host.files.list(`/store/${folder}`).filter((name) => !name.endsWith(".unpublished"));
  }
}

/** What is sealed of a random history; then the process ends, and is begun again over a service that is no better. */
async function liveBadly(world: FaultyWorld, model: LocalModel, chance: number): Promise<void> {
  world.set(quiet);
  await world.start();
  await model.connect(world);
  world.set(anyFaults(chance));
  for (let step = 0; step < 12; step++) {
    model.write();
    model.send();
    model.ask();
    await world.wait(400);
    model.hear();
  }
  world.host.kill();
  // What is due to be sealed is tried again and again, without anybody connected.
  try {
    await world.start();
    await world.wait(6000);
  } catch {
    // Nobody could tell what is there. The next one begins in quiet.
  }
  world.host.kill();
}

test("fault 21: with a service that fails, lies and forgets, all is stored in the end, once, and nothing else is read", async () => {
  let faultCount = 0;
  for (let seed = 1; seed <= 8; seed++) {
    const world = new FaultyWorld(seed);
    const model = new LocalModel(new SeededRandom(seed), groupA);
    for (let life = 0; life < 3; life++) {
      await liveBadly(world, model, 0.02 * (life + 1));
    }
    faultCount += world.faultCount;
    world.set(quiet);
    await world.start();
    await model.connect(world);
    while (model.peer !== undefined && model.peer.last.received < model.lastSeq) model.send();
    model.ask();
    await world.stored(model.peer as LocalPeer, model.lastSeq);
    await model.checkContent(world, model.lastSeq);
    expect(world.status).toMatchObject({ state: "open", unsealedBytes: 0 });
    await world.stop();
  }
  expect(faultCount).toBeGreaterThan(100);
});

test("fault 21: what is told to have failed, and is there all the same or comes later, is there once", async () => {
  for (const fault of ["after", "late"] as const) {
    for (const object of ["segment", "piece"]) {
      const world = new FaultyWorld(3);
      await world.start();
      world.set({ ...quiet, lateMsMax: 500 });
      if (object === "piece") world.service.order("finish", "none");
      world.service.order("finish", fault);
      const peer = await world.connect();
      peer.send(wireBatch({ firstSeq: 1 }, [{ blockCount: 3 }, {}]));
      await world.stored(peer, 2);
      expect(world.service.faultCount, `${fault} ${object}`).toBe(1);
      expect([world.objectNames("segments"), world.objectNames(`pieces/${groupA}`)]).toEqual([
        ["000000000001.0000"],
        ["0000000000000001"],
      ]);
      expect((await world.history(2)).length).toBe(2);
    }
  }
});

test("fault 21: a reply that is cut or wrong is asked for again, and what stays so is an error and never other bytes", async () => {
  const world = new FaultyWorld(5);
  await world.start();
  const peer = await world.connect();
  peer.send(
    wireBatch({ firstSeq: 1 }, [
      { content: 1, blockCount: 4 },
      { content: 2, blockCount: 4 },
    ]),
  );
  await world.stored(peer, 2);
  const sound = (await world.history(2)).map(({ payload }) => payload.toString("hex"));
  let failures = 0;
  for (const fault of ["cut", "wrong", "middle", "before"] as const) {
    for (let calls = 0; calls < 30; calls++) {
      await world.stop();
      await world.start();
      for (let sane = 0; sane < calls % 10; sane++) world.service.order("read", "none");
      for (let bad = 0; bad < 1 + Math.floor(calls / 10); bad++) world.service.order("read", fault);
      try {
        expect((await world.history(2)).map(({ payload }) => payload.toString("hex"))).toEqual(sound);
      } catch (error) {
        if ((error as Error).name === "AssertionError") throw error;
        failures++;
      }
    }
  }
  expect(failures).toBeGreaterThan(0);
});

/** Tells of pieces and segments only when it is not hidden that they are there. */
function hiding(inner: Objects, isHidden: () => boolean): Objects {
  return {
    create: (name) => inner.create(name),
    read: (name, target, position) => inner.read(name, target, position),
    sizeBytes: (name) => inner.sizeBytes(name),
    async *list(prefix: string): AsyncGenerator<ObjectInfo, void> {
      const isPast = isHidden();
      for await (const one of inner.list(prefix)) if (!isPast || !one.name.startsWith("pieces/")) yield one;
    },
    remove: (name) => inner.remove(name),
    readDocument: (name) => inner.readDocument(name),
    changeDocument: (name, bytes, version) => inner.changeDocument(name, bytes, version),
    close: () => inner.close(),
  } satisfies Partial<Objects> as unknown as Objects;
}

test("fault 21: a list of the past neither stops a group nor begins its pieces a second time", async () => {
  const world = new FaultyWorld(7);
  let isHidden = false;
  world.objectsOf = (inner) => hiding(inner, () => isHidden);
  for (const seq of [1, 2]) {
    await world.start();
    const peer = await world.connect(hello({ life: seq, writer: `writer-${seq}` }));
    peer.send(wireBatch({ firstSeq: seq }, [{}]));
    await world.stored(peer, seq);
    await world.stop();
  }
  isHidden = true;
  const starting = world.start();
  world.host.clock.timer(1500, () => {
    isHidden = false;
  });
  await starting;
  expect(world.status).toMatchObject({ state: "open", stored: 2 });
  isHidden = true;
  const peer = await world.connect(hello({ life: 3, writer: "writer-3" }));
  peer.send(wireBatch({ firstSeq: 3 }, [{}]));
  await world.driver.until(() => world.status.sealWhy !== undefined);
  expect(world.status.sealWhy).toContain("had them up to 2");
  isHidden = false;
  await world.stored(peer, 3);
  expect((await world.history(3)).map(({ record }) => record.seq)).toEqual([1, 2, 3]);
  expect(world.objectNames(`pieces/${groupA}`)).toHaveLength(3);
});

test("faults 16 and 21: while the service takes nothing so much waits and no more, and it goes on when it does", async () => {
  const world = new FaultyWorld(9, { unsealedBytesMax: 8192, creditBytes: 16_384 });
  await world.start();
  world.set({ ...quiet, chances: { "write before": 1, "finish before": 1, "changeDocument before": 1 } });
  const peer = await world.connect();
  let seq = 0;
  for (let sentBytes = 0; peer.creditBytes > sentBytes && seq < 100; ) {
    const batch = wireBatch({ firstSeq: ++seq }, [{ blockCount: 2 }]);
    peer.send(batch);
    sentBytes += batch.length;
    await world.durable(peer, seq);
    await world.wait(1500);
  }
  expect(seq).toBeLessThan(10);
  // What is allowed, what was granted before that was reached, and the batch that was on its way.
  expect(world.status.unsealedBytes).toBeLessThanOrEqual(8192 + 16_384 + 8192);
  world.set(quiet);
  await world.stored(peer, seq);
  expect((await world.history(seq)).length).toBe(seq);
});
