import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { storeDocumentBytesMax } from "#src/core/store-limits.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeFiles } from "#src/host/node/files.ts";
import { whenDone } from "#src/host/when-done.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { afterFailedSync, UnknownNamesError } from "#src/store/unknown-names-error.ts";
import { type Driver, driven } from "#test/contract/driver.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { instead } from "#test/instead.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

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

async function put({ driver, objects }: World, name: string, content: string | Buffer): Promise<void> {
  const writer = objects.create(name);
  await driven(driver, writer.write(Buffer.from(content)));
  await driven(driver, writer.finish());
}

async function names({ driver, objects }: World): Promise<string[]> {
  return (await driven(driver, Array.fromAsync(objects.list("")))).map(({ name }) => name);
}

const retry = (text: string) => expect.objectContaining({ name: "RetryError", message: expect.stringContaining(text) });
const stop = (text: string) => expect.objectContaining({ name: "StopError", message: expect.stringContaining(text) });

describe("opening a folder of objects", () => {
  test("fault 38: a folder that another has is not opened, and it is said who has it", async () => {
    const folder = temporaryFolder();
    const ports = { files: nodeFiles, clock: nodeClock };
    const objects = await FolderObjects.open(ports, folder);
    const second = FolderObjects.open(ports, folder);
    await expect(second).rejects.toEqual(stop(`${folder} is in use by process ${process.pid}: two would damage`));
    await objects.close();
    await (await FolderObjects.open(ports, folder)).close();
  });

  test("a folder is made, but not the one that it is to be in", async () => {
    const { host, driver } = await world();
    const opening = driven(driver, FolderObjects.open(host, "/nowhere/store"));
    await expect(opening).rejects.toEqual(stop("there is no folder /nowhere; 'mkdir -p /nowhere' makes it"));
  });

  test("what could not be opened is not locked", async () => {
    const { host, driver } = await world();
    host.files.makeFolder("/other");
    host.disk.failNext("syncFolder");
    await expect(driven(driver, FolderObjects.open(host, "/other"))).rejects.toEqual(stop("nobody knows what is in /"));
    // Whether that one relies on what it finds is for whoever opens it.
    await driven(driver, FolderObjects.open(host, "/other"));
  });

  test("fault 13: that a folder could not be synced when it was opened is told, since the next opening hears nothing of it", async () => {
    let lost = 0;
    for (let seed = 0; seed < 40; seed++) {
      const it = await world(seed);
      const { disk, files, clock } = it.host;
      disk.faults.losesNames = true;
      await put(it, "a/1", "one");
      void it.objects.create("a/2").finish();
      await it.driver.until(() => files.exists("/store/a/2"));
      it.host.kill();
      const failing = instead(files, {
        syncFolder: (path, done) => {
          if (path === "/store/a") disk.failNext("syncFolder");
          files.syncFolder(path, done);
        },
      });
      const open = (through = files) => driven(it.driver, FolderObjects.open({ files: through, clock }, "/store"));
      const error = await open(failing).catch((why: unknown) => why);
      expect(error).toBeInstanceOf(UnknownNamesError);
      expect(error).toEqual(stop("nobody knows what is in /store/a"));
      expect(await names({ ...it, objects: await open() })).toEqual(["a/1", "a/2"]);
      it.host.cutPower();
      if ((await names({ ...it, objects: await open() })).length === 1) lost++;
    }
    expect(lost).toBeGreaterThan(0);
  });

  test("where a folder could not even be opened to be synced, the next sync still tells", async () => {
    const missing = join(temporaryFolder(), "none");
    const error = await whenDone((done) => nodeFiles.syncFolder(missing, done)).catch((why: unknown) => why);
    expect(error).toMatchObject({ code: "ENOENT" });
    expect(afterFailedSync(error, missing)).toBe(error);
  });

  test("files that are no objects are left alone", async () => {
    const it = await world();
    await put(it, "a/1", "one");
    for (const name of ["Notes", "a/.hidden", "a/B", "c_d"]) it.host.files.create(`/store/${name}`).close();
    it.host.files.makeFolder("/store/lost+found");
    it.host.files.create("/store/lost+found/x.unpublished").close();
    await it.objects.close();
    const again = { ...it, objects: await driven(it.driver, FolderObjects.open(it.host, "/store")) };
    expect(await names(again)).toEqual(["a/1"]);
    expect(it.host.files.list("/store/lost+found")).toEqual(["x.unpublished"]);
  });

  test("objects are not used after they were closed", async () => {
    const it = await world();
    await put(it, "a", "content");
    await it.objects.close();
    for (const call of [
      () => it.objects.read("a", Buffer.alloc(1), 0),
      () => it.objects.sizeBytes("a"),
      () => it.objects.remove("a"),
      () => it.objects.readDocument("a.json"),
      () => it.objects.create("b").write(Buffer.alloc(1)),
      () => names(it),
    ])
      await expect(call()).rejects.toThrow("are used after they were closed");
  });
});

describe("a disk that fails", () => {
  test("fault 18: what cannot be read is told from what is not there, and the rest is read", async () => {
    const it = await world();
    await put(it, "a", Buffer.alloc(10_000, "x"));
    it.host.disk.fileAt("/store/a").damage(4096, 512);
    const read = (position: number) => driven(it.driver, it.objects.read("a", Buffer.alloc(1000), position));
    await expect(read(4000)).rejects.toEqual(stop("/store/a"));
    expect([await read(0), await read(5000)]).toEqual([1000, 1000]);
    it.host.disk.failNext("read");
    await expect(read(0)).rejects.toMatchObject({ name: "StopError", cause: { code: "EIO" } });
  });

  test.each(["write", "sync"] as const)(
    "fault 13: a %s that fails leaves nothing, and all can be written anew",
    async (call) => {
      const it = await world();
      const before = it.host.disk.spaceBytes;
      it.host.disk.failNext(call);
      await expect(put(it, "a/b", Buffer.alloc(10_000))).rejects.toEqual(retry("/store/a/b"));
      expect([await names(it), it.host.files.list("/store/a"), it.host.disk.spaceBytes]).toEqual([[], [], before]);
      await put(it, "a/b", "content");
      expect(await names(it)).toEqual(["a/b"]);
    },
  );

  test("fault 13: after a failed sync of a folder nothing is said of names any more, and reading goes on", async () => {
    const it = await world();
    await put(it, "a", "content");
    it.host.disk.failNext("syncFolder");
    await expect(put(it, "b", "content")).rejects.toEqual(stop("nobody knows what is in /store"));
    for (const call of [
      () => it.objects.sizeBytes("a"),
      () => it.objects.remove("a"),
      () => it.objects.readDocument("a.json"),
      () => it.objects.changeDocument("a.json", Buffer.alloc(1), undefined),
      () => it.objects.create("c").finish(),
      () => names(it),
    ])
      await expect(driven<unknown>(it.driver, call())).rejects.toEqual(stop("nobody knows what is in /store"));
    const bytes = Buffer.alloc(7);
    expect([await it.objects.read("a", bytes, 0), bytes.toString()]).toEqual([7, "content"]);
    await expect(it.objects.read("b", bytes, 0)).rejects.toMatchObject({ name: "AbsentObjectError" });
    await it.objects.close();
    const again = { ...it, objects: await driven(it.driver, FolderObjects.open(it.host, "/store")) };
    expect(await names(again)).toEqual(["a", "b"]);
  });

  test("a document that could not be written has its old content", async () => {
    const it = await world();
    const change = (content: string, version?: string) =>
      driven(it.driver, it.objects.changeDocument("a.json", Buffer.from(content), version));
    const version = await change("old");
    for (const call of ["write", "sync"] as const) {
      it.host.disk.failNext(call);
      await expect(change("new", version)).rejects.toEqual(retry("/store/a.json"));
      const found = await driven(it.driver, it.objects.readDocument("a.json"));
      expect(found).toEqual({ bytes: Buffer.from("old"), version });
    }
    expect(await change("new", version)).not.toBe(undefined);
  });

  test("a document that has become large is damaged, and not read into memory", async () => {
    const it = await world();
    const handle = it.host.files.create("/store/a.json");
    handle.truncateNow(storeDocumentBytesMax + 1);
    await expect(driven(it.driver, it.objects.readDocument("a.json"))).rejects.toEqual(stop("is damaged"));
  });
});

describe("a disk that is full", () => {
  test("fault 16: for want of space nothing is left behind, what is there is read, and it goes on when there is space", async () => {
    const it = await world();
    await put(it, "a", "content");
    it.host.disk.faults.capacityBytes = it.host.disk.spaceBytes + 8192;
    const before = it.host.disk.spaceBytes;
    for (let round = 0; round < 3; round++) {
      await expect(put(it, "large/b", Buffer.alloc(20_000, "x"))).rejects.toEqual(
        retry("/store/large/b: the disk is full"),
      );
      expect(it.host.disk.spaceBytes).toBe(before);
    }
    expect(await names(it)).toEqual(["a"]);
    const bytes = Buffer.alloc(7);
    expect(await it.objects.read("a", bytes, 0)).toBe(7);
    await put(it, "large/c", "small");
    it.host.disk.faults.capacityBytes = Number.MAX_SAFE_INTEGER;
    await put(it, "large/b", Buffer.alloc(20_000, "x"));
    expect(await names(it)).toEqual(["a", "large/b", "large/c"]);
  });

  test("fault 16: removing makes room, also of an object that is being read", async () => {
    const it = await world();
    await put(it, "a", Buffer.alloc(20_000, "x"));
    await it.objects.read("a", Buffer.alloc(100), 0);
    it.host.disk.faults.capacityBytes = it.host.disk.spaceBytes;
    await driven(it.driver, it.objects.remove("a"));
    await put(it, "b", Buffer.alloc(20_000, "y"));
    expect(await names(it)).toEqual(["b"]);
  });
});

test("an object is told to be there only when its name is durable", async () => {
  const it = await world();
  const writer = it.objects.create("a");
  const finishing = writer.finish();
  await it.driver.until(() => it.host.files.exists("/store/a"));
  expect(await names(it)).toEqual([]);
  await expect(it.objects.sizeBytes("a")).rejects.toMatchObject({ name: "AbsentObjectError" });
  await expect(it.objects.read("a", Buffer.alloc(1), 0)).rejects.toMatchObject({ name: "AbsentObjectError" });
  await driven(it.driver, finishing);
  expect(await names(it)).toEqual(["a"]);
});
