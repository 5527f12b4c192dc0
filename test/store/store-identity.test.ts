import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { encodeDocument } from "#src/host/document.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { decodeStoreDocument, encodeStoreDocument, type StoreDocument } from "#src/store/store-document.ts";
import { openStore } from "#src/store/store-opening.ts";
import { type Driver, driven } from "#test/contract/driver.ts";
import { DoomedFiles } from "#test/sim/doomed-files.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { anyFaults, FaultyObjects } from "./faulty-objects.ts";
import { encryptedDocument, plainDocument } from "./golden-store.ts";

interface World {
  readonly simulation: Simulation;
  readonly host: SimHost;
  readonly driver: Driver;
  readonly objects: FolderObjects;
}

async function world(seed = 1): Promise<World> {
  const simulation = new Simulation(seed);
  const host = simulation.host("a");
  const driver = simDriver(simulation.clock);
  const objects = await driven(driver, FolderObjects.open(host, "/store"));
  return { simulation, host, driver, objects };
}

const open = ({ driver, objects, host }: World) => driven(driver, openStore(objects, host));

function flip({ host }: World, name: string, bit: number): void {
  host.disk.fileAt(`/store/${name}`).flipBit(bit >> 3, bit & 7);
}

async function text({ driver, objects }: World, name: string): Promise<string | undefined> {
  return (await driven(driver, objects.readDocument(name)))?.bytes.toString();
}

async function replace({ driver, objects }: World, name: string, content: string | Buffer): Promise<void> {
  const version = (await driven(driver, objects.readDocument(name)))?.version;
  await driven(driver, objects.changeDocument(name, Buffer.from(content), version));
}

function golden(name: string): Buffer {
  return readFileSync(new URL(`../golden/${name}`, import.meta.url));
}

const golds: readonly (readonly [string, StoreDocument])[] = [
  ["store-document-plain-v1.bin", plainDocument],
  ["store-document-encrypted-v1.bin", encryptedDocument],
];

test.each(golds)("%s has the bytes that it always had, and can be read", (name, document) => {
  expect(encodeStoreDocument(document).toString()).toBe(golden(name).toString());
  expect(decodeStoreDocument(golden(name), "store.json")).toEqual(document);
});

test.each(golds)("fault 18: a flipped bit in %s is found, or has no meaning", (name, document) => {
  const bytes = golden(name);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
    try {
      expect(decodeStoreDocument(bytes, "store.json")).toEqual(document);
    } catch (error) {
      expect((error as Error).name).toMatch(/^(StopError|RefuseError)$/);
    }
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
  }
});

test("a store is made when it is opened for the first time, and is the same from then on", async () => {
  const it = await world();
  const before = it.host.clock.wallMs();
  const made = await open(it);
  expect(made).toMatchObject({ isMade: true, isRestored: false, keys: undefined });
  expect(made.id).toMatch(/^[0-9a-f]{32}$/);
  expect(made.madeMicros).toBeGreaterThanOrEqual(before * 1000);
  expect(made.madeMicros).toBeLessThanOrEqual(it.host.clock.wallMs() * 1000);
  it.host.clock.jumpWall(86_400_000);
  expect(await open(it)).toEqual({ ...made, isMade: false });
  expect(await open(await world(2))).not.toMatchObject({ id: made.id });
});

test("fault 29: a store of another version is refused in words, and nothing is written", async () => {
  const it = await world();
  await open(it);
  const newer = encodeDocument({ format: "tidemark-store", version: 2 }, { id: "of another kind" }).toString();
  await replace(it, "store.json", newer);
  const refused = {
    name: "RefuseError",
    message: expect.stringMatching(/^store.json has version 2, and this program reads/),
  };
  await expect(open(it)).rejects.toMatchObject(refused);
  expect(await text(it, "store.json")).toBe(newer);
});

test("fault 18: a version that was turned is damage, and not another version", async () => {
  const it = await world();
  const made = await open(it);
  const before = (await text(it, "store.json")) as string;
  for (const version of ["0", "3", "5", "9"]) {
    await replace(it, "store.json", before.replace('"version": 1', `"version": ${version}`));
    expect(await open(it)).toEqual({ ...made, isMade: false, isRestored: true });
    expect(await text(it, "store.json")).toBe(before);
  }
  const bytes = encodeDocument({ format: "tidemark-store", version: 3 }, { id: "1" });
  expect(() => decodeStoreDocument(bytes, "store.json")).toThrow("store.json has version 3");
  const turned = Buffer.from(bytes.toString().replace('"version": 3', '"version": 1'));
  expect(() => decodeStoreDocument(turned, "store.json")).toThrow("store.json is damaged");
});

function decodeContent(content: object): StoreDocument {
  return decodeStoreDocument(encodeDocument({ format: "tidemark-store", version: 1 }, content), "store.json");
}

test("fault 29: an encryption that is not known is refused in words", () => {
  const { id, madeMicros } = plainDocument;
  const message = 'store.json: this program does not know the encryption "rot13": use the program that made the store';
  expect(() => decodeContent({ id, madeMicros, encryption: { kind: "rot13" } })).toThrow(
    expect.objectContaining({ name: "RefuseError", message }),
  );
});

test("a document that does not say what a store is, is damaged, though its checksum is right", () => {
  const { id, madeMicros, keyCopies } = encryptedDocument;
  const content = { id, madeMicros, encryption: { kind: "aes-256-gcm", keyCopies } };
  expect(decodeContent(content)).toEqual(encryptedDocument);
  const [copy] = keyCopies ?? [];
  const withCopies = (copies: unknown) => ({ ...content, encryption: { kind: "aes-256-gcm", keyCopies: copies } });
  for (const bad of [
    {},
    { ...content, id: undefined },
    { ...content, id: id.slice(2) },
    { ...content, id: id.toUpperCase() },
    { ...content, madeMicros: "now" },
    { ...content, encryption: undefined },
    { ...content, encryption: "none" },
    withCopies(undefined),
    withCopies([]),
    withCopies([null]),
    withCopies(["copy"]),
    withCopies([{ ...copy, id: "1" }]),
    withCopies([{ ...copy, salt: `${copy?.salt}00` }]),
    withCopies([{ ...copy, wrapped: "" }]),
    withCopies(new Array(17).fill(copy)),
  ])
    expect(() => decodeContent(bad), JSON.stringify(bad)).toThrow("store.json is damaged");
});

test.each(["store.json", "store-copy.json"])("fault 18: %s is restored from the other one", async (name) => {
  for (const lose of [
    (it: World) => flip(it, name, 555),
    (it: World) => it.host.files.remove(`/store/${name}`),
    (it: World) => replace(it, name, ""),
    (it: World) => replace(it, name, "{}"),
  ]) {
    const it = await world();
    const made = await open(it);
    const before = await text(it, name);
    await lose(it);
    expect(await open(it)).toEqual({ ...made, isMade: false, isRestored: name === "store.json" });
    expect(await text(it, name)).toBe(before);
    expect(await open(it)).toMatchObject({ isRestored: false });
  }
});

test("fault 21: a document that was read wrongly once is not taken back to an older copy", async () => {
  const it = await world();
  const objects = new FaultyObjects({ inner: it.objects, clock: it.host.clock, random: it.simulation.random });
  await open(it);
  await replace(it, "store.json", encodeStoreDocument(plainDocument));
  await replace(it, "store-copy.json", encodeStoreDocument({ ...plainDocument, madeMicros: 1 }));
  objects.faults = { chances: { "readDocument wrong": 1 }, delayMsMax: 0, lateMsMax: 0 };
  const opening = openStore(objects, it.host);
  await expect(driven(it.driver, opening)).rejects.toMatchObject({ name: "StopError" });
  objects.faults = { chances: {}, delayMsMax: 0, lateMsMax: 0 };
  objects.order("readDocument", "cut");
  expect(await driven(it.driver, openStore(objects, it.host))).toMatchObject({ madeMicros: plainDocument.madeMicros });
  expect(await text(it, "store-copy.json")).toBe(encodeStoreDocument(plainDocument).toString());
});

test("fault 18: a store whose document is damaged twice is not opened, nor made anew", async () => {
  const it = await world();
  await open(it);
  for (const name of ["store.json", "store-copy.json"]) flip(it, name, 555);
  const [own, copy] = [await text(it, "store.json"), await text(it, "store-copy.json")];
  await expect(open(it)).rejects.toMatchObject({ name: "StopError", message: expect.stringContaining("is damaged") });
  expect([await text(it, "store.json"), await text(it, "store-copy.json")]).toEqual([own, copy]);
});

test("objects without a document are of a store that has lost it, and no new one is made", async () => {
  const it = await world();
  await driven(it.driver, it.objects.create("segments/000000000001.0000").finish());
  const lost = expect.stringMatching(/has lost its store.json .* segments\/000000000001.0000 for one/);
  await expect(open(it)).rejects.toMatchObject({ name: "StopError", message: lost });
  expect(await text(it, "store.json")).toBe(undefined);
});

test("documents of two stores are not mixed", async () => {
  const [it, other] = [await world(1), await world(2)];
  await open(it);
  await open(other);
  await replace(it, "store-copy.json", (await text(other, "store.json")) as string);
  await expect(open(it)).rejects.toMatchObject({
    name: "StopError",
    message: expect.stringContaining("of two stores"),
  });
});

test("of two that open a new store at once, both get the same one or one is told to try again", async () => {
  const it = await world();
  const outcomes = await driven(
    it.driver,
    Promise.allSettled([openStore(it.objects, it.host), openStore(it.objects, it.host)]),
  );
  const { id } = await open(it);
  expect(outcomes.some(({ status }) => status === "fulfilled")).toBe(true);
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled") expect(outcome.value.id).toBe(id);
    else expect(outcome.reason).toMatchObject({ name: "RetryError" });
  }
});

test("fault 21: whatever a service does, a store that was opened is the same for ever", async () => {
  let opened = 0;
  for (let seed = 0; seed < 60; seed++) {
    const { simulation, host, driver, objects: inner } = await world(seed);
    const objects = new FaultyObjects({ inner, clock: host.clock, random: simulation.random.fork("service") });
    objects.faults = anyFaults(0.15);
    const ids = new Set<string>();
    for (let count = 0; count < 12; count++) {
      const outcome = await driven(
        driver,
        openStore(objects, host).catch((error: Error) => error),
      );
      if (outcome instanceof Error) expect(outcome.name, outcome.stack).toMatch(/^(RetryError|StopError|RefuseError)$/);
      else ids.add(outcome.id);
      opened += outcome instanceof Error ? 0 : 1;
    }
    expect(ids.size, `seed ${seed}`).toBeLessThanOrEqual(1);
  }
  expect(opened).toBeGreaterThan(200);
});

test("fault 10: whenever the power goes while a store is made, it is made anew or is the one that was promised", async () => {
  for (const seed of [1, 2, 3, 4]) {
    for (let points = 0, isDone = false; !isDone; points++) {
      const { simulation, host, driver } = await world(seed);
      host.kill();
      const files = new DoomedFiles(host.files, points, () => host.cutPower());
      const ids: string[] = [];
      const story = async () => {
        const objects = await FolderObjects.open({ files, clock: host.clock }, "/store");
        for (let count = 0; count < 2; count++) ids.push((await openStore(objects, host)).id);
        isDone = true;
      };
      story().catch(() => {});
      await simulation.clock.settle();
      if (!files.isDead) host.cutPower();
      const objects = await driven(driver, FolderObjects.open(host, "/store"));
      ids.push((await driven(driver, openStore(objects, host))).id);
      expect(new Set(ids).size, `seed ${seed}, after ${points} calls`).toBe(1);
      expect(points).toBeLessThan(100);
    }
  }
});
