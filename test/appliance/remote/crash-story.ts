/** Several lives of a remote appliance from one seed: random records, killed and cut off from power at any instant. */
import type { RemoteOptions } from "#src/appliance/remote/remote-options.ts";
import type { FaultHook } from "#src/host/faults.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { promisesSettled } from "#test/sim/sim-clock.ts";
import { FaultyObjects, type ObjectFaults } from "#test/store/faulty-objects.ts";
import { LocalModel } from "./local-model.ts";
import { groupA, groupB, RemoteWorld } from "./remote-world.ts";

/** The process ends in the middle of a call. */
class Killed extends Error {}

/** A local appliance of one group, which knows what the remote may hold of it and checks that when it connects. */
export interface StoryModel {
  connect(world: RemoteWorld): Promise<void>;
  /** Has more to send. */
  write(): void;
  send(): void;
  /** For what was sent to become durable. */
  ask(): void;
  /** Remembers what it was promised. */
  hear(): void;
  /** Loses what it had not synced itself. */
  losePower?(): void;
}

export interface StoryStore {
  readonly hasStore: boolean;
  /** What may go wrong between the store and its folder. */
  readonly faults?: ObjectFaults;
  /** With them the stories are counted whose journals begin later in the end. */
  readonly options?: Partial<RemoteOptions>;
}

const failingCalls = [
  ...(["write before", "write middle", "finish before", "finish middle", "finish after", "finish late"] as const),
  ...(["changeDocument before", "changeDocument after", "changeDocument late"] as const),
];

/** A service of the store's that fails now and then, or says so when it has not. */
export const failingService: ObjectFaults = {
  chances: Object.fromEntries(failingCalls.map((call) => [call, 0.05])),
  delayMsMax: 0,
  lateMsMax: 100,
};

export type MakeModel = (random: SeededRandom, group: string) => StoryModel;

/** Each of the seeds; what fails says which it was. Answers how many segments were sealed. */
export async function liveThroughAll(
  firstSeed: number,
  seedCount: number,
  makeModel: MakeModel = (random, group) => new LocalModel(random, group),
  store: StoryStore = { hasStore: false },
): Promise<number> {
  let sealedCount = 0;
  for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
    try {
      sealedCount += await liveThrough(seed, makeModel, store);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  return sealedCount;
}

async function liveThrough(seed: number, makeModel: MakeModel, store: StoryStore): Promise<number> {
  const timing = { syncAfterMs: 20, checkpointAfterMs: 30, sealAfterMs: 25, sealRetryMs: 10, ...store.options };
  const world = new RemoteWorld(seed, timing, store);
  const { faults } = store;
  if (faults !== undefined) {
    world.objectsOf = (inner) => {
      const random = world.simulation.random.fork(`service ${world.host.clock.monotonicMs()}`);
      const service = new FaultyObjects({ inner, clock: world.host.clock, random });
      service.faults = faults;
      return service;
    };
  }
  const random = world.simulation.random.fork("story");
  const models = [groupA, groupB].slice(0, random.between(1, 2)).map((group) => makeModel(random.fork(group), group));
  for (let life = 0; life < 5; life++) {
    armKill(world, random.integerBelow(40));
    if (!(await startPerhapsAgain(world, random.chance(0.3) ? random.integerBelow(30) : undefined))) continue;
    for (const model of models) {
      if (random.chance(0.2)) model.losePower?.();
      await model.connect(world);
    }
    await act(world, models, random.between(5, 60));
    if (random.chance(0.1)) await world.stop();
    // What goes on by itself goes on before the end, not after it.
    await promisesSettled();
    for (const model of models) model.hear();
    if (random.chance(0.6)) world.host.cutPower();
    else world.host.kill();
  }
  world.hook = undefined;
  await world.start();
  for (const model of models) await model.connect(world);
  const removed = models.length > 0 && world.folder().pieces(world.host.files)[0] !== 0 ? 1 : 0;
  return store.options === undefined ? (world.store?.store.segments.count ?? 0) : removed;
}

/** At some call of a hook from now on the process is dead. */
function armKill(world: RemoteWorld, callsLeft: number): void {
  let left = callsLeft;
  const hook: FaultHook = () => {
    if (left-- === 0) throw new Killed();
  };
  world.hook = hook;
}

/** What a start does without waiting for the machine takes no more turns of the event loop. */
const turnsOfAStart = 10;

/** With `steps` the power is lost so many events after the start, while the journals are being recovered. */
async function startPerhapsAgain(world: RemoteWorld, steps: number | undefined): Promise<boolean> {
  if (steps === undefined) {
    await world.start();
    return true;
  }
  void world.start().catch(() => {});
  await promisesSettled();
  for (let step = 0; step < steps; step++) {
    world.simulation.clock.step();
    await promisesSettled();
  }
  // What a dead process had begun would else go on in the next one's files.
  for (let turn = 0; turn < turnsOfAStart; turn++) await promisesSettled();
  world.host.cutPower();
  return false;
}

async function act(world: RemoteWorld, models: readonly StoryModel[], count: number): Promise<void> {
  const random = world.simulation.random.fork(`acts ${world.host.clock.monotonicMs()}`);
  for (let step = 0; step < count; step++) {
    const model = random.pick(models);
    model.write();
    try {
      model.send();
    } catch (error) {
      if (error instanceof Killed || (error as Error).cause instanceof Killed) return;
      throw error;
    }
    if (random.chance(0.2)) model.ask();
    for (let events = random.integerBelow(6); events > 0; events--) {
      world.simulation.clock.step();
      await promisesSettled();
    }
    for (const each of models) each.hear();
  }
}
