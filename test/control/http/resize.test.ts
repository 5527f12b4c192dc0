/** A volume is resized through the API, over a side that a test plays. */
import { expect, test } from "vitest";
import { Catalogue } from "#src/control/catalogue.ts";
import { VolumeKeeper } from "#src/control/volume-keeper.ts";
import { RefuseError } from "#src/core/errors.ts";
import { driven } from "#test/contract/driver.ts";
import { apiDriver } from "./api-driver.ts";
import { ScriptedSide } from "./scripted-side.ts";

class Resizing {
  readonly side = new ScriptedSide();
  readonly #driver = apiDriver(this.side.simulation.clock);

  async ask(method: string, target: string, body: object = {}) {
    const bytes = Buffer.from(JSON.stringify(body));
    const headers = { host: "localhost:7878", "content-type": "application/json" };
    const asked = this.side.handler()({ method, target: `/api/v1${target}`, headers, body: bytes });
    const { status, body: text } = await driven(this.#driver, asked);
    return { status, ...(JSON.parse(text) as Record<string, unknown>) };
  }

  resize(sizeBytes: number, confirm?: string) {
    return this.ask("PATCH", "/volumes/v", { sizeBytes, ...(confirm === undefined ? {} : { confirm }) });
  }

  /** What the catalogue on the disk says of it. */
  get noted() {
    return Catalogue.open(this.side.host.files, "/volumes.json").find("v");
  }

  /** The words that were said, since the volume was added. */
  get said(): string[] {
    return this.side.asked.slice(2).flatMap((asked) => Object.keys(asked as object));
  }

  static async begun(): Promise<Resizing> {
    const it = new Resizing();
    await it.ask("POST", "/volumes", { name: "v", source: "/d" });
    return it;
  }
}

test("the order is in the catalogue before anything is changed, and gone when it is carried out", async () => {
  const it = await Resizing.begun();
  const { promise, resolve } = Promise.withResolvers<void>();
  it.side.held.set("addVolume", promise);
  const answer = await it.resize(16384);
  expect(answer).toMatchObject({ status: 200, state: "opening", sizeBytes: 8192, resizeTo: 16384 });
  expect(it.noted).toMatchObject({ sizeBytes: 8192, resizeTo: 16384 });
  expect(await it.resize(32768)).toMatchObject({
    status: 422,
    detail: expect.stringContaining("to 16384 bytes: wait"),
  });
  resolve();
  expect(await it.ask("GET", "/volumes/v")).toMatchObject({ state: "open", sizeBytes: 16384 });
  await it.side.simulation.clock.settle();
  expect(it.noted).toMatchObject({ sizeBytes: 16384, previousBytes: 8192 });
  expect(it.noted).not.toHaveProperty("resizeTo");
  expect(it.said).toEqual(["releaseVolume", "addVolume"]);
});

test("an order that was not carried out before the end is carried out at the next start", async () => {
  const it = await Resizing.begun();
  it.side.held.set("addVolume", new Promise(() => {}));
  await it.resize(16384);
  const next = new ScriptedSide();
  const catalogue = Catalogue.open(it.side.host.files, "/volumes.json");
  const { host } = next;
  const keeper = new VolumeKeeper({
    ...{ catalogue, side: next.client, randomness: host.randomness, clock: host.clock, log: host.log },
  });
  keeper.openAll();
  await next.simulation.clock.settle();
  await it.side.simulation.clock.settle();
  expect(it.noted).toMatchObject({ sizeBytes: 16384, previousBytes: 8192 });
  expect(next.asked).toMatchObject([{ addVolume: { volume: { sizeBytes: 8192, resizeTo: 16384 } } }]);
});

test("what is refused is refused before it is noted, and leaves the volume as it was", async () => {
  const it = await Resizing.begun();
  it.side.refusals.set("releaseVolume", new RefuseError("it is attached"));
  expect(await it.resize(4096, "v")).toMatchObject({ status: 422, detail: "it is attached" });
  expect(it.noted).not.toHaveProperty("resizeTo");
  expect(it.said).toEqual(["releaseVolume"]);
});

test("what comes out later, that a source cannot have the size, is told as well, and the volume goes on as it was", async () => {
  const it = await Resizing.begun();
  it.side.resizeRefusal = "give it 16384 bytes";
  expect(await it.resize(16384)).toMatchObject({ status: 422, detail: "give it 16384 bytes" });
  expect(it.noted).not.toHaveProperty("resizeTo");
  expect(await it.ask("GET", "/volumes/v")).toMatchObject({ state: "open", sizeBytes: 8192 });
});

test("where it is seen only when the volume has ended that it cannot have the size, it is opened again as it was", async () => {
  const it = await Resizing.begun();
  it.side.unfit = "it has 12288 bytes";
  expect(await it.resize(16384)).toMatchObject({ status: 422, detail: "it has 12288 bytes" });
  await it.side.simulation.clock.settle();
  expect(await it.ask("GET", "/volumes/v")).toMatchObject({ state: "open", sizeBytes: 8192 });
  expect(it.noted).not.toHaveProperty("resizeTo");
});

test("a volume whose resize does not come to its end may be removed", async () => {
  const it = await Resizing.begun();
  const { promise, resolve } = Promise.withResolvers<void>();
  it.side.held.set("addVolume", promise);
  await it.resize(16384);
  expect(await it.ask("DELETE", "/volumes/v?confirm=v")).toMatchObject({ status: 200 });
  resolve();
  await it.side.simulation.clock.settle();
  expect(it.noted).toBe(undefined);
});

test("an order that cannot be noted is none: the volume is opened again as it was", async () => {
  const it = await Resizing.begun();
  it.side.host.disk.failNext("write", "ENOSPC");
  expect(await it.resize(16384)).toMatchObject({ status: 500 });
  await it.side.simulation.clock.settle();
  expect(it.said).toEqual(["releaseVolume", "addVolume"]);
  expect(it.noted).toMatchObject({ sizeBytes: 8192 });
  expect(it.noted).not.toHaveProperty("resizeTo");
});

test("to make it smaller takes its name, and the size that it has takes nothing", async () => {
  const it = await Resizing.begun();
  for (const confirm of [undefined, "w"]) {
    expect(await it.resize(4096, confirm)).toMatchObject({
      status: 422,
      detail: expect.stringContaining("--confirm v says that this is meant"),
    });
  }
  expect(await it.resize(8192)).toMatchObject({ status: 200, sizeBytes: 8192 });
  expect(it.said).toEqual([]);
  expect(await it.resize(0, "v")).toMatchObject({ status: 422, detail: "a volume has a size" });
  expect(await it.resize(4096, "v")).toMatchObject({ status: 200, sizeBytes: 4096 });
});

test.each([[{}], [{ sizeBytes: "8M" }], [{ sizeBytes: -1 }], [{ sizeBytes: 8192, force: true }]])(
  "fault 34: the body %j is refused",
  async (body) => {
    const it = await Resizing.begun();
    expect(await it.ask("PATCH", "/volumes/v", body)).toMatchObject({ status: 400 });
    expect(await it.ask("PATCH", "/volumes/none", { sizeBytes: 1 })).toMatchObject({ status: 404 });
    expect(it.said).toEqual([]);
  },
);
