import { expect, test } from "vitest";
import { Catalogue } from "#src/control/catalogue.ts";
import { publishDocument } from "#src/host/document.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

const path = "/volumes.json";
const kind = { format: "tidemark-volumes", version: 1 };

function definition(name: string) {
  return { id: "0123456789abcdef".repeat(2), name, group: "g", source: "/disk", sizeBytes: 4096, baseMissing: false };
}

function world() {
  const simulation = new Simulation(3);
  const host = simulation.host("a");
  const driver = simDriver(simulation.clock);
  return { host, run: <Result>(promise: Promise<Result>) => driven(driver, promise) };
}

test("fault 10: what was added is there after the power was cut, and what was removed is not", async () => {
  const { host, run } = world();
  const catalogue = Catalogue.open(host.files, path);
  await run(Promise.all(["a", "b", "c"].map((name) => catalogue.add(definition(name)))));
  await run(catalogue.remove("b"));
  const copy = { ...definition("d"), ofView: { name: "mine", opened: "2031-05-17T09:30:00.000Z" } };
  await run(catalogue.add(copy));
  host.cutPower();
  expect(Catalogue.open(host.files, path).list()).toEqual([definition("a"), definition("c"), copy]);
});

test("what could not be written down is not there, and the next change finds its way", async () => {
  const { host, run } = world();
  const catalogue = Catalogue.open(host.files, path);
  host.disk.failNext("write");
  await expect(run(catalogue.add(definition("a")))).rejects.toThrow("EIO");
  expect(catalogue.find("a")).toBe(undefined);
  await run(catalogue.add(definition("b")));
  host.cutPower();
  expect(Catalogue.open(host.files, path).list()).toEqual([definition("b")]);
});

test.each([
  [{}],
  [{ volumes: {} }],
  [{ volumes: [null] }],
  [{ volumes: [{ ...definition("a"), name: "../a" }] }],
  [{ volumes: [{ ...definition("a"), id: "../a" }] }],
  [{ volumes: [{ ...definition("a"), sizeBytes: 0 }] }],
  [{ volumes: [{ ...definition("a"), source: 5 }] }],
  [{ volumes: [{ ...definition("a"), baseMissing: 1 }] }],
  [{ volumes: [{ ...definition("a"), ofView: "mine" }] }],
  [{ volumes: [{ ...definition("a"), ofView: { name: "mine" } }] }],
  [{ volumes: [{ ...definition("a"), ofView: { name: "../mine", opened: "2031-05-17" } }] }],
  [{ volumes: [definition("a"), definition("a")] }],
  [{ volumes: [definition("a")], removed: {} }],
  [{ volumes: [definition("a")], removed: ["../a"] }],
])("a catalogue of %j is damaged, and said to be", async (content) => {
  const { host, run } = world();
  await run(publishDocument(host.files, path, kind, content));
  expect(() => Catalogue.open(host.files, path)).toThrow("/volumes.json is damaged");
});

const gone = "f".repeat(32);

test("what was removed is known over a cut of the power, until the local appliance has forgotten it", async () => {
  const { host, run } = world();
  const catalogue = Catalogue.open(host.files, path);
  const removed = (): readonly string[] => Catalogue.open(host.files, path).removed;
  await run(catalogue.add(definition("a")));
  await run(catalogue.add({ ...definition("b"), id: gone }));
  await run(catalogue.remove("b"));
  host.cutPower();
  expect(removed()).toEqual([gone]);
  // Its removal could not be carried out after all.
  await run(catalogue.replace({ ...definition("b"), id: gone }));
  expect(removed()).toEqual([]);
  await run(catalogue.remove("b"));
  await run(catalogue.forgotten(gone));
  expect(removed()).toEqual([]);
});

test("where nobody was told of removals, those are noted that were opened once and are not there, and only then", async () => {
  const { host, run } = world();
  const opened = (): string[] => [gone, definition("a").id, "no volume"];
  await run(publishDocument(host.files, path, kind, { volumes: [definition("a")] }));
  await run(Catalogue.open(host.files, path).add({ ...definition("b"), id: "0".repeat(32) }));
  await run(Catalogue.open(host.files, path).noteEarlierRemovals(opened));
  const noted = Catalogue.open(host.files, path);
  expect([noted.removed, noted.list().length]).toEqual([[gone], 2]);
  await run(noted.forgotten(gone));
  await run(noted.noteEarlierRemovals(opened));
  expect(Catalogue.open(host.files, path).removed).toEqual([]);
});

test("where there is no catalogue nothing is known to have been removed", async () => {
  const { host, run } = world();
  const catalogue = Catalogue.open(host.files, path);
  await run(catalogue.noteEarlierRemovals(() => [gone]));
  await run(catalogue.add(definition("a")));
  expect(Catalogue.open(host.files, path).removed).toEqual([]);
});

test("of a volume that was added before it was noted, nobody knows what it held", async () => {
  const { host, run } = world();
  const { baseMissing, ...former } = definition("a");
  await run(publishDocument(host.files, path, kind, { volumes: [former] }));
  expect(Catalogue.open(host.files, path).list()).toEqual([{ ...former, baseMissing: true }]);
});

test("fault 18: one flipped bit anywhere is found, and where is said", async () => {
  const { host, run } = world();
  await run(Catalogue.open(host.files, path).add(definition("a")));
  const handle = host.files.open(path, "readWrite");
  const bytes = Buffer.alloc(handle.sizeBytesNow());
  handle.readNow(bytes, 0, bytes.length, 0);
  const accepted: number[] = [];
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const altered = Buffer.from(bytes);
    altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7));
    handle.writeNow(altered, 0, altered.length, 0);
    try {
      const { 0: volume, length } = Catalogue.open(host.files, path).list();
      // Between the values white space may be any.
      if (length !== 1 || JSON.stringify(volume) !== JSON.stringify(definition("a"))) accepted.push(bit);
    } catch (error) {
      expect((error as Error).message).toContain(path);
    }
  }
  handle.close();
  expect(accepted).toEqual([]);
});
