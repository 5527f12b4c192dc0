/**
 * Several at work with one folder of objects, on a disk that fails and is full now and then, in a process that is killed or
 * loses its power: whatever happened, what was promised holds, and errors say what to do next.
 */
import { expect, test } from "vitest";
import { FolderObjects } from "#src/store/folder-objects.ts";
import type { ObjectName } from "#src/store/objects.ts";
import { driven } from "#test/contract/driver.ts";
import { DoomedFiles } from "#test/sim/doomed-files.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

const root = "/store";
const documentName = "groups/catalogue.json";
const seedCount = 60;
const livesPerSeed = 6;
const workerCount = 3;
const callsPerWorker = 15;

/** Perhaps: it was begun, and nobody was told how it ended. */
type State = "perhaps" | "there" | "gone";

/** What may be found. */
class Model {
  readonly objects = new Map<ObjectName, State>();
  /** The last content that was promised, and the last that was tried. */
  documentPromised = 0;
  documentTried = 0;
  promiseCount = 0;
  errors = new Map<string, number>();

  names(state: State): ObjectName[] {
    return [...this.objects].flatMap(([name, found]) => (found === state ? [name] : []));
  }

  failed(error: Error): void {
    this.errors.set(error.name, (this.errors.get(error.name) ?? 0) + 1);
  }
}

function contentOf(name: ObjectName): Buffer {
  const length = 1 + ((name.charCodeAt(name.length - 1) * 977) % 20_000);
  return Buffer.alloc(length, `${name};`);
}

class Worker {
  readonly #objects: FolderObjects;
  readonly #model: Model;
  readonly #random: SeededRandom;
  readonly #label: string;
  #count = 0;

  constructor(objects: FolderObjects, model: Model, random: SeededRandom, label: string) {
    this.#objects = objects;
    this.#model = model;
    this.#random = random;
    this.#label = label;
  }

  async work(): Promise<void> {
    while (this.#count++ < callsPerWorker) {
      try {
        await this.#random
          .pick([this.#put, this.#put, this.#put, this.#remove, this.#read, this.#list, this.#change])
          .call(this);
      } catch (error) {
        this.#model.failed(error as Error);
      }
    }
  }

  async #put(): Promise<void> {
    const { objects } = this.#model;
    const folder = this.#random.pick(["a", "b", "b/c", `new-${this.#random.integerBelow(20)}`]);
    const name = `${folder}/${this.#label}-${this.#count}`;
    const content = contentOf(name);
    const writer = this.#objects.create(name);
    const middle = this.#random.integerBelow(content.length + 1);
    await writer.write(content.subarray(0, middle));
    if (this.#random.chance(0.1)) return await writer.abandon();
    await writer.write(content.subarray(middle));
    objects.set(name, "perhaps");
    await writer.finish();
    objects.set(name, "there");
    this.#model.promiseCount++;
  }

  async #remove(): Promise<void> {
    const names = this.#model.names("there");
    if (names.length === 0) return;
    const name = this.#random.pick(names);
    this.#model.objects.set(name, "perhaps");
    await this.#objects.remove(name);
    this.#model.objects.set(name, "gone");
    this.#model.promiseCount++;
  }

  async #read(): Promise<void> {
    const names = this.#model.names("there");
    if (names.length === 0) return;
    const name = this.#random.pick(names);
    const content = contentOf(name);
    const position = this.#random.integerBelow(content.length);
    const bytes = Buffer.alloc(this.#random.integerBelow(5000));
    const count = await this.#objects.read(name, bytes, position);
    expect(bytes.subarray(0, count).equals(content.subarray(position, position + bytes.length)), name).toBe(true);
  }

  async #list(): Promise<void> {
    const before = this.#model.names("there");
    const found = (await Array.fromAsync(this.#objects.list(""))).map(({ name }) => name);
    const { objects } = this.#model;
    for (const name of before) if (objects.get(name) === "there") expect(found).toContain(name);
    expect(found).toEqual(found.toSorted());
  }

  async #change(): Promise<void> {
    const found = await this.#objects.readDocument(documentName);
    const number = ++this.#model.documentTried;
    const changed = await this.#objects.changeDocument(documentName, Buffer.from(String(number)), found?.version);
    if (changed === undefined) return;
    this.#model.documentPromised = Math.max(this.#model.documentPromised, number);
    this.#model.promiseCount++;
  }
}

class World {
  readonly #simulation: Simulation;
  readonly #random: SeededRandom;
  readonly host: SimHost;
  readonly model = new Model();

  constructor(seed: number) {
    this.#simulation = new Simulation(seed);
    this.#random = this.#simulation.random.fork("weather");
    this.host = this.#simulation.host("a");
  }

  /** From the start of a process to its end. */
  async live(life: number): Promise<void> {
    const { host } = this;
    const end = this.#random.pick(["killed", "powerCut"]);
    const doom = () => (end === "killed" ? host.kill() : host.cutPower());
    const files = new DoomedFiles(host.files, this.#random.integerBelow(300), doom);
    const story = async () => {
      const objects = await FolderObjects.open({ files, clock: host.clock }, root);
      this.#spoilWeather();
      const workers = Array.from({ length: workerCount }, (_, index) => {
        const label = `${life}-${index}`;
        return new Worker(objects, this.model, this.#random.fork(label), label);
      });
      await Promise.all(workers.map((worker) => worker.work()));
    };
    story().catch((error) => this.model.failed(error));
    await this.#simulation.clock.settle();
    if (!files.isDead) doom();
    Object.assign(host.disk.faults, calm);
  }

  #spoilWeather(): void {
    const { disk } = this.host;
    disk.faults.writeErrorChance = this.#random.pick([0, 0.02]);
    disk.faults.readErrorChance = this.#random.pick([0, 0.05]);
    disk.faults.syncErrorChance = this.#random.pick([0, 0, 0.02]);
    if (this.#random.chance(0.4)) disk.faults.capacityBytes = disk.spaceBytes + this.#random.integerBelow(200_000);
  }

  /** Looks what is there, and takes it for the truth from then on. */
  async check(): Promise<void> {
    const driver = simDriver(this.#simulation.clock);
    const objects = await driven(driver, FolderObjects.open(this.host, root));
    const found = new Set<ObjectName>();
    for (const { name, sizeBytes } of await driven(driver, Array.fromAsync(objects.list("")))) {
      const bytes = Buffer.alloc(sizeBytes);
      await objects.read(name, bytes, 0);
      expect(bytes.equals(contentOf(name)), `${name} is whole`).toBe(true);
      found.add(name);
    }
    for (const [name, state] of this.model.objects) {
      if (state !== "perhaps") expect(found.has(name), `${name} is ${state}`).toBe(state === "there");
      this.model.objects.set(name, found.has(name) ? "there" : "gone");
    }
    expect([...found].filter((name) => !this.model.objects.has(name))).toEqual([]);
    const document = await driven(driver, objects.readDocument(documentName));
    const number = Number(document?.bytes.toString() ?? 0);
    expect(number).toBeGreaterThanOrEqual(this.model.documentPromised);
    expect(number).toBeLessThanOrEqual(this.model.documentTried);
    this.model.documentPromised = number;
    await objects.close();
  }
}

const calm = { writeErrorChance: 0, readErrorChance: 0, syncErrorChance: 0, capacityBytes: Number.MAX_SAFE_INTEGER };

test("faults 7, 10, 13 and 16: in any weather objects are whole, promises hold, and errors say what to do next", async () => {
  let promiseCount = 0;
  const errors = new Map<string, number>();
  for (let seed = 0; seed < seedCount; seed++) {
    const world = new World(seed);
    for (let life = 0; life < livesPerSeed; life++) {
      try {
        await world.live(life);
        await world.check();
      } catch (error) {
        throw new Error(`seed ${seed}, life ${life}: ${(error as Error).message}`, { cause: error });
      }
    }
    promiseCount += world.model.promiseCount;
    for (const [name, count] of world.model.errors) errors.set(name, (errors.get(name) ?? 0) + count);
  }
  // `Error` is what the calls of a dead process throw.
  expect([...errors.keys()].sort()).toEqual(["Error", "RetryError", "StopError"]);
  expect(promiseCount).toBeGreaterThan(seedCount * livesPerSeed * 5);
});
