/**
 * A process works with objects in a folder and meets its end, at every one of its calls in turn. Whoever opens the folder
 * afterwards finds whole objects, all that was promised, and documents that are old or new.
 */
import { expect, test } from "vitest";
import { FolderObjects } from "#src/store/folder-objects.ts";
import type { ObjectName, Objects } from "#src/store/objects.ts";
import { driven } from "#test/contract/driver.ts";
import { DoomedFiles } from "#test/sim/doomed-files.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

const root = "/data/store";
const documentName = "store.json";
const seeds = Array.from({ length: 4 }, (_, seed) => seed);

/** What each object of this name has to hold, if it is there. */
function contentOf(name: ObjectName): Buffer {
  return Buffer.alloc(9000 + name.length, `${name};`);
}

function documentContent(number: number): string {
  return `document ${number} `.repeat(100 * number);
}

/** What a process was promised. */
class Promises {
  readonly there = new Set<ObjectName>();
  readonly gone = new Set<ObjectName>();
  documentNumber = 0;
  documentsBegun = 0;
  isDone = false;
}

class Story {
  readonly #objects: Objects;
  readonly #promises: Promises;
  #version: string | undefined;

  constructor(objects: Objects, promises: Promises) {
    this.#objects = objects;
    this.#promises = promises;
  }

  async tell(): Promise<void> {
    await this.#put("segments/1");
    await this.#change();
    await Promise.all([this.#put("segments/2"), this.#put("new/folder/3"), this.#change()]);
    await this.#restore("segments/2");
    const abandoned = this.#objects.create("segments/4");
    await abandoned.write(contentOf("segments/4"));
    await this.#remove("segments/1");
    await abandoned.abandon();
    await Promise.all([this.#remove("new/folder/3"), this.#put("new/5"), this.#change()]);
    await this.#objects.close();
    this.#promises.isDone = true;
  }

  async #put(name: ObjectName): Promise<void> {
    const writer = this.#objects.create(name);
    const content = contentOf(name);
    for (let at = 0; at < content.length; at += 4000) await writer.write(content.subarray(at, at + 4000));
    await writer.finish();
    this.#promises.there.add(name);
  }

  /** It is there all the while. */
  async #restore(name: ObjectName): Promise<void> {
    const writer = this.#objects.restore(name);
    await writer.write(contentOf(name));
    await writer.finish();
  }

  async #remove(name: ObjectName): Promise<void> {
    this.#promises.there.delete(name);
    await this.#objects.remove(name);
    this.#promises.gone.add(name);
  }

  async #change(): Promise<void> {
    const number = ++this.#promises.documentsBegun;
    const bytes = Buffer.from(documentContent(number));
    this.#version = await this.#objects.changeDocument(documentName, bytes, this.#version);
    expect(this.#version).not.toBe(undefined);
    this.#promises.documentNumber = number;
  }
}

type End = "killed" | "powerCut";

interface Outcome {
  readonly simulation: Simulation;
  readonly host: SimHost;
  readonly promises: Promises;
  readonly pointCount: number;
}

/** Lets a process live for so many calls. */
async function lived(seed: number, pointsBefore: number, end: End): Promise<Outcome> {
  const simulation = new Simulation(seed);
  const host = simulation.host("a");
  host.files.makeFolder("/data");
  await driven(simDriver(simulation.clock), new Promise((resolve) => host.files.syncFolder("/", resolve)));
  const doom = () => (end === "killed" ? host.kill() : host.cutPower());
  const files = new DoomedFiles(host.files, pointsBefore, doom);
  const promises = new Promises();
  const story = async () => {
    const objects = await FolderObjects.open({ files, clock: host.clock }, root);
    await new Story(objects, promises).tell();
  };
  let failure: unknown;
  void story().catch((error) => {
    failure = error;
  });
  await simulation.clock.settle();
  if (!files.isDead) expect(failure).toBe(undefined);
  return { simulation, host, promises, pointCount: files.pointCount };
}

async function opened({ simulation, host }: Outcome): Promise<FolderObjects> {
  return await driven(simDriver(simulation.clock), FolderObjects.open(host, root));
}

/** Whole objects, and the number of the document. */
async function found(outcome: Outcome, objects: FolderObjects): Promise<{ names: string[]; documentNumber: number }> {
  const driver = simDriver(outcome.simulation.clock);
  const names: string[] = [];
  for (const { name, sizeBytes } of await driven(driver, Array.fromAsync(objects.list("")))) {
    const bytes = Buffer.alloc(sizeBytes);
    await driven(driver, objects.read(name, bytes, 0));
    expect(bytes.equals(contentOf(name)), `${name} is whole`).toBe(true);
    names.push(name);
  }
  const text = (await driven(driver, objects.readDocument(documentName)))?.bytes.toString() ?? "";
  const documentNumber = [0, 1, 2, 3].findIndex((number) => documentContent(number) === text);
  return { names, documentNumber };
}

function expectPromisesKept({ promises }: Outcome, state: { names: string[]; documentNumber: number }): void {
  expect(state.names).toEqual(expect.arrayContaining([...promises.there]));
  for (const name of promises.gone) expect(state.names).not.toContain(name);
  expect(state.names).not.toContain("segments/4");
  expect(state.documentNumber).toBeGreaterThanOrEqual(promises.documentNumber);
  expect(state.documentNumber).toBeLessThanOrEqual(promises.documentsBegun);
}

function leftovers(host: SimHost, folder = root): string[] {
  return host.files.entries(folder).flatMap(({ name, isFolder }) => {
    const path = `${folder}/${name}`;
    if (isFolder) return leftovers(host, path);
    return name.endsWith(".unpublished") ? [path] : [];
  });
}

/** Calls `check` with the outcome of each possible end, until one comes after the story's. */
async function forEveryEnd(end: End, check: (outcome: Outcome) => Promise<void>): Promise<void> {
  for (const seed of seeds) {
    for (let points = 0; ; points++) {
      const outcome = await lived(seed, points, end);
      if (outcome.promises.isDone) {
        expect(points).toBeGreaterThan(60);
        break;
      }
      try {
        await check(outcome);
      } catch (error) {
        throw new Error(`seed ${seed}, after ${points} calls: ${(error as Error).message}`, { cause: error });
      }
    }
  }
}

test("faults 7 and 10: whenever the power goes, objects are whole or not there, and what was promised is there", async () => {
  await forEveryEnd("powerCut", async (outcome) => {
    const objects = await opened(outcome);
    expectPromisesKept(outcome, await found(outcome, objects));
    expect(leftovers(outcome.host)).toEqual([]);
  });
});

test("faults 7 and 10: what is found after a process was killed is still there when the power goes at once", async () => {
  await forEveryEnd("killed", async (outcome) => {
    const state = await found(outcome, await opened(outcome));
    expectPromisesKept(outcome, state);
    outcome.host.cutPower();
    expect(await found(outcome, await opened(outcome))).toEqual(state);
    expect(leftovers(outcome.host)).toEqual([]);
  });
});

test("faults 7 and 10: what a reader is told after the writer was killed is still there when the power goes at once", async () => {
  await forEveryEnd("killed", async (outcome) => {
    const { host, simulation } = outcome;
    const reader = FolderObjects.openToRead(host, root);
    const told = await driven(simDriver(simulation.clock), Array.fromAsync(reader.list("")));
    host.cutPower();
    const { names } = await found(outcome, await opened(outcome));
    expect(names).toEqual(expect.arrayContaining(told.map(({ name }) => name)));
  });
});

test("fault 9: a process that dies again and again while it opens the folder does no harm", async () => {
  for (const seed of seeds) {
    const outcome = await lived(seed, 45, "powerCut");
    for (let points = 0; points < 12; points++) {
      const { host, simulation } = outcome;
      const files = new DoomedFiles(host.files, points, () => host.cutPower());
      const opening = FolderObjects.open({ files, clock: host.clock }, root);
      opening.catch(() => {});
      await simulation.clock.settle();
      if (!files.isDead) host.cutPower();
    }
    expectPromisesKept(outcome, await found(outcome, await opened(outcome)));
  }
});
