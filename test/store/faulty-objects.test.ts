import { expect, test } from "vitest";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { type Driver, driven } from "#test/contract/driver.ts";
import { describeObjectsContract } from "#test/contract/objects.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { anyFaults, FaultyObjects, type ObjectFaults } from "./faulty-objects.ts";

const noFaults: ObjectFaults = { chances: {}, delayMsMax: 50, lateMsMax: 0 };

describeObjectsContract("a service's objects on its good days", () => {
  const simulation = new Simulation(1);
  const host = simulation.host("a");
  const open = async () => {
    const inner = await FolderObjects.open(host, "/store");
    const objects = new FaultyObjects({ inner, clock: host.clock, random: simulation.random.fork("service") });
    objects.faults = noFaults;
    return objects;
  };
  return { driver: simDriver(simulation.clock), open };
});

interface World {
  readonly simulation: Simulation;
  readonly driver: Driver;
  readonly objects: FaultyObjects;
  readonly inner: FolderObjects;
}

async function world(seed = 1): Promise<World> {
  const simulation = new Simulation(seed);
  const host = simulation.host("a");
  const driver = simDriver(simulation.clock);
  const inner = await driven(driver, FolderObjects.open(host, "/store"));
  const objects = new FaultyObjects({ inner, clock: host.clock, random: simulation.random.fork("service") });
  return { simulation, driver, objects, inner };
}

async function put({ driver, objects }: World, name: string, content = "0123456789"): Promise<void> {
  const writer = objects.create(name);
  await driven(driver, writer.write(Buffer.from(content)));
  await driven(driver, writer.finish());
}

async function names({ driver }: World, objects: FolderObjects | FaultyObjects): Promise<string[]> {
  return (await driven(driver, Array.fromAsync(objects.list("")))).map(({ name }) => name);
}

test("a request that fails before or in the middle has done nothing", async () => {
  const it = await world();
  for (const [call, fault] of [
    ["write", "before"],
    ["write", "middle"],
    ["finish", "before"],
    ["finish", "middle"],
  ] as const) {
    it.objects.order(call, fault);
    await expect(put(it, "a")).rejects.toMatchObject({ name: "RetryError" });
    expect(await names(it, it.inner)).toEqual([]);
  }
  await put(it, "a");
  it.objects.order("remove", "before");
  await expect(driven(it.driver, it.objects.remove("a"))).rejects.toMatchObject({ name: "RetryError" });
  expect(await names(it, it.inner)).toEqual(["a"]);
});

test("a request whose answer is lost was done", async () => {
  const it = await world();
  it.objects.order("finish", "after");
  await expect(put(it, "a")).rejects.toMatchObject({ name: "RetryError" });
  expect(await names(it, it.inner)).toEqual(["a"]);
  it.objects.order("changeDocument", "after");
  const change = it.objects.changeDocument("a.json", Buffer.from("new"), undefined);
  await expect(driven(it.driver, change)).rejects.toMatchObject({ name: "RetryError" });
  expect((await driven(it.driver, it.objects.readDocument("a.json")))?.bytes.toString()).toBe("new");
  it.objects.order("remove", "after");
  await expect(driven(it.driver, it.objects.remove("a"))).rejects.toMatchObject({ name: "RetryError" });
  expect(await names(it, it.inner)).toEqual([]);
});

test("a late object is there after a while, though its writer was given up", async () => {
  const it = await world();
  it.objects.faults = { ...noFaults, lateMsMax: 1000 };
  const writer = it.objects.create("a");
  await driven(it.driver, writer.write(Buffer.from("late")));
  it.objects.order("finish", "late");
  await expect(driven(it.driver, writer.finish())).rejects.toMatchObject({ name: "RetryError" });
  await writer.abandon();
  expect(await names(it, it.inner)).toEqual([]);
  await it.simulation.clock.settle();
  expect(await names(it, it.inner)).toEqual(["a"]);
});

test("what is read may be short, or wrong, without an error", async () => {
  const it = await world();
  await put(it, "a", "0123456789".repeat(10));
  const read = async () => {
    const bytes = Buffer.alloc(100);
    const count = await driven(it.driver, it.objects.read("a", bytes, 0));
    return { count, text: bytes.toString("latin1") };
  };
  it.objects.order("read", "cut");
  expect((await read()).count).toBeLessThan(100);
  it.objects.order("read", "wrong");
  const wrong = await read();
  expect([wrong.count, wrong.text === "0123456789".repeat(10)]).toEqual([100, false]);
  it.objects.order("read", "middle");
  await expect(read()).rejects.toMatchObject({ name: "RetryError" });
  expect(await read()).toEqual({ count: 100, text: "0123456789".repeat(10) });
  expect(it.objects.faultCount).toBe(3);
});

test("a late list may lack what is new and tell what is gone", async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 40; seed++) {
    const it = await world(seed);
    it.objects.faults = { ...noFaults, delayMsMax: 0, lateMsMax: 100_000 };
    await put(it, "a");
    await put(it, "b");
    await driven(it.driver, it.objects.remove("a"));
    it.objects.order("list", "late");
    outcomes.add((await names(it, it.objects)).join(" "));
    expect(await names(it, it.objects)).toEqual(["b"]);
  }
  expect([...outcomes].sort()).toEqual(["", "a", "a b", "b"]);
});

test("the same seed goes wrong in the same ways", async () => {
  const story = async (seed: number) => {
    const it = await world(seed);
    it.objects.faults = anyFaults(0.1);
    const outcomes: string[] = [];
    for (let index = 0; index < 60; index++) {
      const bytes = Buffer.alloc(10);
      const calls = async () => {
        await put(it, `a/${index}`);
        return await driven(it.driver, it.objects.read(`a/${index}`, bytes, 0));
      };
      outcomes.push(
        await calls().then(
          (count) => `${count} ${bytes.toString("hex")}`,
          (error: Error) => error.message,
        ),
      );
    }
    return outcomes.join("\n");
  };
  expect(await story(1)).toBe(await story(1));
  expect(await story(1)).not.toBe(await story(2));
});
