/** Those who only read stand beside the one who has the folder, in a process of their own. */
import { expect, test } from "vitest";
import { FolderObjects } from "#src/store/folder-objects.ts";
import type { ReadableObjects } from "#src/store/objects.ts";
import { type Driver, driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

interface World {
  readonly host: SimHost;
  readonly driver: Driver;
  readonly reader: ReadableObjects;
}

function world(seed = 1): World {
  const simulation = new Simulation(seed);
  const host = simulation.host("a");
  return { host, driver: simDriver(simulation.clock), reader: FolderObjects.openToRead(host, "/store") };
}

async function put({ driver }: World, objects: FolderObjects, name: string): Promise<void> {
  const writer = objects.create(name);
  await driven(driver, writer.write(Buffer.from(`content of ${name}`)));
  await driven(driver, writer.finish());
}

async function names({ driver, reader }: World): Promise<string[]> {
  return (await driven(driver, Array.fromAsync(reader.list("")))).map(({ name }) => name);
}

async function content({ driver, reader }: World, name: string): Promise<string> {
  const bytes = Buffer.alloc(await driven(driver, reader.sizeBytes(name)));
  await driven(driver, reader.read(name, bytes, 0));
  return bytes.toString();
}

const absent = { name: "AbsentObjectError" };

test("before there is a folder, nothing is found", async () => {
  const it = world();
  expect(await names(it)).toEqual([]);
  await expect(it.reader.sizeBytes("a")).rejects.toMatchObject(absent);
  await expect(it.reader.read("a", Buffer.alloc(1), 0)).rejects.toMatchObject(absent);
  expect(await driven(it.driver, it.reader.readDocument("a.json"))).toBe(undefined);
});

test("what is written meanwhile is found when it has its name, and what is removed is not found any more", async () => {
  const it = world();
  const objects = await driven(it.driver, FolderObjects.open(it.host, "/store"));
  const writer = objects.create("a/1");
  await driven(it.driver, writer.write(Buffer.from("content of a/1")));
  expect(await names(it)).toEqual([]);
  await driven(it.driver, writer.finish());
  await put(it, objects, "b");
  expect(await names(it)).toEqual(["a/1", "b"]);
  expect(await content(it, "a/1")).toBe("content of a/1");
  await driven(it.driver, objects.remove("b"));
  await expect(it.reader.sizeBytes("b")).rejects.toMatchObject(absent);
  await expect(it.reader.read("b", Buffer.alloc(1), 0)).rejects.toMatchObject(absent);
  expect(await names(it)).toEqual(["a/1"]);
});

test("fault 10: what is listed stays when the power goes at once, wherever the one who writes just is", async () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const it = world(seed);
    const objects = await driven(it.driver, FolderObjects.open(it.host, "/store"));
    void objects.create("new/folder/a").finish();
    await it.driver.until(() => it.host.files.exists("/store/new/folder/a"));
    const found = await names(it);
    expect(found).toEqual(["new/folder/a"]);
    it.host.cutPower();
    await driven(it.driver, FolderObjects.open(it.host, "/store"));
    expect(await names({ ...it, reader: FolderObjects.openToRead(it.host, "/store") })).toEqual(found);
  }
});

test("a folder that cannot be synced is not told of", async () => {
  const it = world();
  const objects = await driven(it.driver, FolderObjects.open(it.host, "/store"));
  await put(it, objects, "a");
  it.host.disk.failNext("syncFolder");
  await expect(names(it)).rejects.toMatchObject({ name: "StopError" });
});

test("fault 13: who relies on names hears once that nobody knows them, and reads on; vouched for, they are listed again", async () => {
  const it = world();
  const objects = await driven(it.driver, FolderObjects.open(it.host, "/store"));
  await put(it, objects, "a");
  const heard: string[] = [];
  const reader = FolderObjects.openToRead(it.host, "/store", ({ message }) => void heard.push(message));
  const own = { ...it, reader };
  it.host.disk.failNext("syncFolder");
  for (let time = 1; time <= 2; time++) await expect(names(own)).rejects.toThrow("nobody knows what is in /");
  await expect(reader.assertNamesKnown()).rejects.toThrow("nobody knows what is in /");
  expect([heard.length, await content(own, "a")]).toEqual([1, "content of a"]);
  reader.trustNames();
  await reader.assertNamesKnown();
  expect([heard.length, await names(own)]).toEqual([1, ["a"]]);
});

test("fault 13: who only shows what is there syncs nothing, so that the one who writes hears of each failure", async () => {
  const it = world();
  const objects = await driven(it.driver, FolderObjects.open(it.host, "/store"));
  await put(it, objects, "a");
  it.host.disk.failNext("syncFolder");
  const reader = FolderObjects.openToShow(it.host, "/store");
  expect(await names({ ...it, reader })).toEqual(["a"]);
  await expect(put(it, objects, "b")).rejects.toThrow("nobody knows what is in /store");
});

test("who reads an object that is being removed reads it to its end", async () => {
  const it = world();
  const objects = await driven(it.driver, FolderObjects.open(it.host, "/store"));
  await put(it, objects, "a");
  const bytes = Buffer.alloc(4);
  await it.reader.read("a", bytes, 0);
  await driven(it.driver, objects.remove("a"));
  expect([await it.reader.read("a", bytes, 8), bytes.toString()]).toEqual([4, "of a"]);
});

test("a document is read as it is published, old or new", async () => {
  const it = world();
  const objects = await driven(it.driver, FolderObjects.open(it.host, "/store"));
  const version = await driven(it.driver, objects.changeDocument("a.json", Buffer.from("old"), undefined));
  const found = await driven(it.driver, it.reader.readDocument("a.json"));
  expect([found?.bytes.toString(), found?.version]).toEqual(["old", version]);
  await driven(it.driver, objects.changeDocument("a.json", Buffer.from("new"), version));
  expect((await driven(it.driver, it.reader.readDocument("a.json")))?.bytes.toString()).toBe("new");
});

test("neither side keeps the other out, and what unfinished writers left stays for the one who writes", async () => {
  const it = world();
  const objects = await driven(it.driver, FolderObjects.open(it.host, "/store"));
  await driven(it.driver, objects.create("a").write(Buffer.from("half")));
  const another = FolderObjects.openToRead(it.host, "/store");
  await another.close();
  expect(it.host.files.list("/store").filter((name) => name.endsWith(".unpublished"))).toHaveLength(1);
  await expect(driven(it.driver, FolderObjects.open(it.host, "/store"))).rejects.toMatchObject({ name: "StopError" });
});

test("what was restored is read by those who open it anew", async () => {
  const it = world();
  const objects = await driven(it.driver, FolderObjects.open(it.host, "/store"));
  await put(it, objects, "a");
  expect(await content(it, "a")).toBe("content of a");
  const writer = objects.restore("a");
  await driven(it.driver, writer.write(Buffer.from("sound")));
  await driven(it.driver, writer.finish());
  expect(await content(it, "a")).toBe("sound");
});
