import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  bindingTrouble,
  type FoundStore,
  type NotedStore,
  readNotedStore,
  StoreBinding,
} from "#src/control/store-binding.ts";
import { readDocument } from "#src/host/document.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { decodeStoreHolder, encodeStoreHolder, holdStore, takeStore } from "#src/store/store-holder.ts";
import { openStore } from "#src/store/store-opening.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

const a = "a".repeat(32);
const b = "b".repeat(32);

function noted(change: Partial<NotedStore> = {}): NotedStore {
  return { store: a, holder: a, isRebuilding: false, ...change };
}

function found(id: string, holder?: string): FoundStore {
  return { id, holder: holder === undefined ? undefined : { holder, takenMicros: 1_700_000_000_000_000 } };
}

test("fault 20: a store that is not the folder's is told from the one that is, and what to do is said", () => {
  const rows: readonly (readonly [NotedStore | undefined, FoundStore, RegExp | undefined])[] = [
    [undefined, undefined, undefined],
    [undefined, found(a), undefined],
    [undefined, found(a, b), /another remote appliance, since 2023-11-14.*'tidemark rebuild --from'/],
    [noted({ isRebuilding: true }), found(a, a), /did not come to its end: run 'tidemark rebuild' again/],
    [noted({ store: null }), undefined, undefined],
    [noted({ store: null }), found(a), undefined],
    [noted({ store: null }), found(a, a), undefined],
    [noted({ store: null }), found(a, b), /another remote appliance/],
    [noted(), undefined, /is gone from \/objects: its disk is not mounted.*rebuild --in-place/],
    [noted(), found(b), /not the one that there was: set store.folder.*'tidemark rebuild'/],
    [noted(), found(b, a), /not the one that there was/],
    [noted(), found(a, b), /another remote appliance/],
    [noted(), found(a), undefined],
    [noted(), found(a, a), undefined],
  ];
  for (const [folder, store, words] of rows) {
    const trouble = bindingTrouble(folder, store, "/objects");
    const row = JSON.stringify([folder, store]);
    if (words === undefined) expect(trouble, row).toBeUndefined();
    else expect(trouble, row).toMatch(words);
  }
});

test("what says who holds a store has the bytes that it always had", () => {
  const golden = readFileSync(new URL("../golden/store-holder-v1.bin", import.meta.url));
  const holder = { holder: "00112233445566778899aabbccddeeff", takenMicros: 1_700_000_000_123_000 };
  expect(encodeStoreHolder(holder).toString()).toBe(golden.toString());
  expect(decodeStoreHolder(golden)).toEqual(holder);
  const taken = readFileSync(new URL("../golden/store-holder-taken-v1.bin", import.meta.url));
  const taker = { ...holder, segmentsBehind: 16_777_220 };
  expect(encodeStoreHolder(taker).toString()).toBe(taken.toString());
  expect(decodeStoreHolder(taken)).toEqual(taker);
  const wrong = encodeStoreHolder({ ...holder, segmentsBehind: 2 ** 50 });
  expect(() => decodeStoreHolder(wrong)).toThrow("is damaged");
});

async function opened() {
  const simulation = new Simulation(1);
  const machine = simulation.host("remote");
  const driver = simDriver(simulation.clock);
  machine.files.makeFolder("/remote");
  const objects = await driven(driver, FolderObjects.open(machine, "/objects"));
  const bind = () => driven(driver, StoreBinding.open({ machine, folder: "/remote", objects, place: "/objects" }));
  return { machine, driver, objects, bind };
}

/** Its store is held, and that is noted. */
async function bound() {
  const world = await opened();
  const { machine, driver, objects, bind } = world;
  const binding = await bind();
  await driven(driver, openStore(objects, machine));
  await driven(driver, holdStore(objects, binding.holder, 1000));
  await driven(driver, binding.note(objects));
  return { ...world, binding };
}

test("a new folder is bound to the store that is made for it, as soon as that is there", async () => {
  const { machine, driver, objects, bind } = await opened();
  const binding = await bind();
  expect([binding.trouble, binding.store]).toEqual([undefined, undefined]);
  const { id } = await driven(driver, openStore(objects, machine));
  await driven(driver, holdStore(objects, binding.holder, 1000));
  // Sealing, scrubs and collections may all be the first.
  await driven(driver, Promise.all([binding.note(objects), binding.note(objects)]));
  expect(readNotedStore(machine.files, "/remote")).toEqual({ store: id, holder: binding.holder, isRebuilding: false });
  const next = await bind();
  expect([next.trouble, next.store, next.holder]).toEqual([undefined, id, binding.holder]);
});

test("fault 20: a store that another one has taken is written to by nobody else, and who had it sees why", async () => {
  const { machine, driver, objects, bind } = await opened();
  const binding = await bind();
  await driven(driver, openStore(objects, machine));
  await driven(driver, holdStore(objects, binding.holder, 1000));
  await driven(driver, takeStore(objects, b, 2000, 0));
  await expect(driven(driver, holdStore(objects, binding.holder, 3000))).rejects.toThrow("another remote appliance");
  const next = await bind();
  expect(next.trouble).toContain("another remote appliance");
  expect(() => next.assertSound()).toThrow("another remote appliance");
});

test("fault 18: a damaged word on who holds the store is written anew by him who has it", async () => {
  const { machine, driver, objects, bind } = await opened();
  const binding = await bind();
  await driven(driver, openStore(objects, machine));
  await driven(driver, holdStore(objects, binding.holder, 1000));
  machine.disk.fileAt("/objects/holder.json").flipBit(60, 2);
  expect((await bind()).trouble).toBeUndefined();
  await driven(driver, holdStore(objects, binding.holder, 1000));
  await expect(driven(driver, holdStore(objects, b, 1000))).rejects.toThrow("another remote appliance");
});

test("fault 18: a turned bit in what says which store is the folder's is turned back, and goes", async () => {
  const { machine, binding, bind } = await bound();
  machine.disk.fileAt("/remote/binding.json").flipBit(90, 2);
  const next = await bind();
  expect([next.trouble, next.store, next.holder]).toEqual([undefined, binding.store, binding.holder]);
  expect(readDocument(machine.files, "/remote/binding.json", { format: "tidemark-remote-store", version: 1 })).toEqual({
    store: binding.store,
    holder: binding.holder,
    isRebuilding: false,
  });
});

test("fault 18: where nobody can read which store is the folder's, none is gone on with, and the way out is said", async () => {
  const { machine, driver, objects, bind } = await bound();
  for (const bit of [1, 2]) machine.disk.fileAt("/remote/binding.json").flipBit(40, bit);
  const next = await bind();
  expect(next.trouble).toMatch(/binding.json is damaged.*'tidemark rebuild --in-place' writes it anew/);
  await driven(driver, next.note(objects));
  expect((await bind()).trouble).toBe(next.trouble);
});
