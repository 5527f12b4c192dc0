import { expect, test } from "vitest";
import type { FileHandle } from "#src/host/files.ts";
import { sectorBytes } from "./sim-file.ts";
import type { SimHost } from "./sim-host.ts";
import { Simulation } from "./simulation.ts";

const sectorCount = 64;
const seeds = Array.from({ length: 120 }, (_, seed) => seed);

interface World {
  readonly simulation: Simulation;
  readonly host: SimHost;
}

function world(seed: number): World {
  const simulation = new Simulation(seed);
  return { simulation, host: simulation.host("a") };
}

/** Runs on until the sync, or whatever else calls back, has done so. */
function finish({ simulation }: World, start: (done: (error: Error | null) => void) => void): void {
  let isDone = false;
  start((error) => {
    expect(error).toBe(null);
    isDone = true;
  });
  while (!isDone) expect(simulation.clock.step()).toBe(true);
}

/** A file whose name is durable. */
function durableFile(of: World, path = "/a"): FileHandle {
  const handle = of.host.files.create(path);
  finish(of, (done) => of.host.files.syncFolder("/", done));
  return handle;
}

function fill(handle: FileHandle, value: number, sector = 0, count = sectorCount): void {
  handle.writeNow(Buffer.alloc(count * sectorBytes, value), 0, count * sectorBytes, sector * sectorBytes);
}

/** The value of each sector; a sector that holds two values is a fault of the simulation. */
function sectorsAfter(host: SimHost, path = "/a"): number[] {
  const handle = host.files.open(path, "read");
  const bytes = Buffer.alloc(handle.sizeBytesNow());
  handle.readNow(bytes, 0, bytes.length, 0);
  handle.close();
  const sectors: number[] = [];
  for (let at = 0; at < bytes.length; at += sectorBytes) {
    const value = bytes[at] as number;
    const sector = bytes.subarray(at, at + sectorBytes);
    if (!sector.equals(Buffer.alloc(sectorBytes, value))) expect.unreachable("a sector holds two values");
    sectors.push(value);
  }
  return sectors;
}

test("what was synced is there after every power cut", () => {
  for (const seed of seeds) {
    const it = world(seed);
    const handle = durableFile(it);
    fill(handle, 1);
    fill(handle, 2, 10, 5);
    finish(it, (done) => handle.sync(done));
    it.host.cutPower();
    const expected = new Array(sectorCount).fill(1).fill(2, 10, 15);
    expect(sectorsAfter(it.host)).toEqual(expected);
  }
});

test("what was not synced is lost, kept or torn by sectors", () => {
  const outcomes = new Set<string>();
  for (const seed of seeds) {
    const it = world(seed);
    const handle = durableFile(it);
    fill(handle, 1);
    finish(it, (done) => handle.sync(done));
    fill(handle, 2);
    it.host.cutPower();
    const sectors = sectorsAfter(it.host);
    expect(sectors.length).toBe(sectorCount);
    expect(sectors.every((value) => value === 1 || value === 2)).toBe(true);
    outcomes.add([...new Set(sectors)].sort().join(" and "));
  }
  expect([...outcomes].sort()).toEqual(["1", "1 and 2", "2"]);
});

test("a later write may be there without an earlier one elsewhere", () => {
  let reordered = 0;
  for (const seed of seeds) {
    const it = world(seed);
    const handle = durableFile(it);
    fill(handle, 1);
    finish(it, (done) => handle.sync(done));
    fill(handle, 2, 0, 1);
    fill(handle, 3, 63, 1);
    it.host.cutPower();
    const sectors = sectorsAfter(it.host);
    if (sectors[0] === 1 && sectors[63] === 3) reordered++;
  }
  expect(reordered).toBeGreaterThan(5);
});

test("a sector holds its content of some moment, never a mixture of two writes", () => {
  const outcomes = new Set<string>();
  for (const seed of seeds) {
    const it = world(seed);
    const handle = durableFile(it);
    handle.writeNow(Buffer.from("----"), 0, 4, 0);
    finish(it, (done) => handle.sync(done));
    for (const [at, letter] of ["a", "b", "c"].entries()) handle.writeNow(Buffer.from(letter), 0, 1, at);
    it.host.cutPower();
    const bytes = Buffer.alloc(4);
    it.host.files.open("/a", "read").readNow(bytes, 0, 4, 0);
    outcomes.add(bytes.toString());
  }
  expect([...outcomes].sort()).toEqual(["----", "a---", "ab--", "abc-"]);
});

test("what was written while a sync was under way is not promised by it", () => {
  const outcomes = new Set<number>();
  for (const seed of seeds) {
    const it = world(seed);
    const handle = durableFile(it);
    fill(handle, 1);
    finish(it, (done) => {
      handle.sync(done);
      fill(handle, 2, 5, 1);
    });
    it.host.cutPower();
    const sectors = sectorsAfter(it.host);
    outcomes.add(sectors[5] as number);
    expect(sectors.every((value, index) => index === 5 || value === 1)).toBe(true);
  }
  expect([...outcomes].sort()).toEqual([1, 2]);
});

test("a file that grew has any size up to its own, and zeros where bytes are missing", () => {
  const sizes = new Set<number>();
  let gaps = 0;
  for (const seed of seeds) {
    const it = world(seed);
    const handle = durableFile(it);
    for (let sector = 0; sector < sectorCount; sector++) fill(handle, 1, sector, 1);
    it.host.cutPower();
    const sectors = sectorsAfter(it.host);
    expect(sectors.length).toBeLessThanOrEqual(sectorCount);
    sizes.add(sectors.length);
    if (sectors.includes(0)) gaps++;
  }
  expect(sizes.has(0) && sizes.has(sectorCount)).toBe(true);
  expect(sizes.size).toBeGreaterThan(2);
  expect(gaps).toBeGreaterThan(5);
});

test("a cut that was not synced may be undone", () => {
  const sizes = new Set<number>();
  for (const seed of seeds) {
    const it = world(seed);
    const handle = durableFile(it);
    fill(handle, 1);
    finish(it, (done) => handle.sync(done));
    handle.truncateNow(1024);
    handle.truncateNow(512);
    it.host.cutPower();
    sizes.add(sectorsAfter(it.host).length);
  }
  expect([...sizes].sort((a, b) => a - b)).toEqual([1, 2, sectorCount]);
});

test("names that were not synced are lost or kept, each by itself", () => {
  const outcomes = new Set<string>();
  for (const seed of seeds) {
    const it = world(seed);
    for (const name of ["/removed", "/stays"]) durableFile(it, name);
    it.host.files.remove("/removed");
    it.host.files.create("/new");
    it.host.cutPower();
    const names = it.host.files.list("/");
    expect(names).toContain("stays");
    outcomes.add(names.join(" "));
  }
  expect([...outcomes].sort()).toEqual(["new removed stays", "new stays", "removed stays", "stays"]);
});

test("a rename is kept or lost as a whole", () => {
  const outcomes = new Set<string>();
  for (const seed of seeds) {
    const it = world(seed);
    for (const [value, name] of ["/a", "/b"].entries()) {
      const handle = durableFile(it, name);
      fill(handle, value);
      finish(it, (done) => handle.sync(done));
    }
    it.host.files.rename("/b", "/a");
    it.host.cutPower();
    const { files } = it.host;
    outcomes.add(
      files
        .list("/")
        .map((name) => `${name}=${sectorsAfter(it.host, `/${name}`)[0]}`)
        .join(" "),
    );
  }
  expect([...outcomes].sort()).toEqual(["a=0 b=1", "a=1"]);
});

test("a later change of a name is never kept without the earlier", () => {
  const outcomes = new Set<string>();
  for (const seed of seeds) {
    const it = world(seed);
    it.host.files.create("/a");
    it.host.files.rename("/a", "/b");
    it.host.files.rename("/b", "/c");
    it.host.cutPower();
    outcomes.add(it.host.files.list("/").join(" "));
  }
  expect([...outcomes].sort()).toEqual(["", "a", "b", "c"]);
});

test("a synced folder keeps its names, and a synced file without one is lost", () => {
  let lost = 0;
  for (const seed of seeds) {
    const it = world(seed);
    it.host.files.makeFolder("/inner");
    const handle = it.host.files.create("/inner/a");
    fill(handle, 1);
    finish(it, (done) => handle.sync(done));
    finish(it, (done) => it.host.files.syncFolder("/inner", done));
    it.host.cutPower();
    if (!it.host.files.exists("/inner")) lost++;
    else expect(sectorsAfter(it.host, "/inner/a")).toEqual(new Array(sectorCount).fill(1));
  }
  expect(lost).toBeGreaterThan(5);
  expect(lost).toBeLessThan(seeds.length - 5);
});

test.each([
  [false, "keeps"],
  [true, "loses"],
])("where names get lost (%s) a failed sync of a folder %s them, whatever a later one says", (losesNames, _what) => {
  let lost = 0;
  for (const seed of seeds) {
    const it = world(seed);
    it.host.disk.faults.losesNames = losesNames;
    it.host.files.create("/a").close();
    it.host.disk.failNext("syncFolder");
    it.host.files.syncFolder("/", (error) => expect(error).toMatchObject({ code: "EIO" }));
    it.simulation.clock.runUntilIdle();
    it.host.files.create("/b").close();
    finish(it, (done) => it.host.files.syncFolder("/", done));
    expect(it.host.files.list("/")).toEqual(["a", "b"]);
    it.host.cutPower();
    expect(it.host.files.exists("/b")).toBe(true);
    if (!it.host.files.exists("/a")) lost++;
  }
  expect(lost > 5).toBe(losesNames);
  expect(lost).toBeLessThan(seeds.length - 5);
});

test("a write under way at a power cut is there or not, and is never answered", () => {
  const outcomes = new Set<number>();
  for (const seed of seeds) {
    const it = world(seed);
    const file = durableFile(it);
    fill(file, 1);
    finish(it, (done) => file.sync(done));
    const device = it.host.openBlockDevice("/a", { readOnly: false });
    device.write(Buffer.alloc(sectorBytes, 2), 0, sectorBytes, 0, () => expect.unreachable("answered by the dead"));
    it.host.cutPower();
    it.simulation.clock.runUntilIdle();
    outcomes.add(sectorsAfter(it.host)[0] as number);
  }
  expect([...outcomes].sort()).toEqual([1, 2]);
});

test("a second power cut takes nothing that was there after the first", () => {
  for (const seed of seeds) {
    const it = world(seed);
    const handle = durableFile(it);
    fill(handle, 1);
    fill(handle, 2, 7, 20);
    it.host.cutPower();
    const first = sectorsAfter(it.host);
    it.host.cutPower();
    expect(sectorsAfter(it.host)).toEqual(first);
  }
});

test("killing the processes loses nothing that was written", () => {
  for (const seed of seeds) {
    const it = world(seed);
    const handle = it.host.files.create("/a");
    fill(handle, 3);
    it.host.kill();
    expect(sectorsAfter(it.host)).toEqual(new Array(sectorCount).fill(3));
  }
});

test("a dead process uses nothing, and nothing calls it back", () => {
  for (const end of ["kill", "cutPower"] as const) {
    const it = world(1);
    const handle = durableFile(it);
    const device = it.host.openBlockDevice("/a", { readOnly: false });
    const dead = (): void => expect.unreachable("called back after death");
    handle.sync(dead);
    device.sync(dead);
    it.host.files.syncFolder("/", dead);
    it.host.clock.timer(5, dead);
    it.host.clock.soon(dead);
    it.host[end]();
    it.simulation.clock.runUntilIdle();
    for (const call of [() => fill(handle, 1), () => handle.close(), () => device.sync(dead), () => device.close()]) {
      expect(call).toThrow("the process that makes this call is dead");
    }
    fill(it.host.files.open("/a", "readWrite"), 1);
  }
});

test("a host writes back by itself before the unsynced bytes become too many", () => {
  for (const seed of seeds.slice(0, 2)) {
    const it = world(seed);
    const handle = durableFile(it);
    const bytes = Buffer.alloc(2 ** 20, 1);
    for (let index = 0; index < 20; index++) handle.writeNow(bytes, 0, bytes.length, index * bytes.length);
    it.host.cutPower();
    const start = Buffer.alloc(4 * bytes.length);
    expect(it.host.files.open("/a", "read").readNow(start, 0, start.length, 0)).toBe(start.length);
    expect(start.equals(Buffer.alloc(start.length, 1))).toBe(true);
  }
});
