import { describe, expect, test } from "vitest";
import { RetryError } from "#src/core/errors.ts";
import { indexAsideCountMax } from "#src/core/store-limits.ts";
import { SortedMapError } from "#src/host/sorted-map.ts";
import { addressOf, holeAddress } from "#src/records/address.ts";
import { SimSortedMaps } from "#test/sim/sim-sorted-maps.ts";
import {
  addAll,
  asides,
  closedIndex,
  expectRebuilt,
  fileBytes,
  flipBit,
  mapPath,
  names,
  writeFile,
} from "./filled-index.ts";
import { directories, found, numbers, segmentOfBlocks } from "./index-blocks.ts";
import { expectUnknown, openedIndex, simIndexWorld, tight } from "./index-world.ts";
import { type Odd, OddMaps } from "./odd-maps.ts";

describe("an index that is not this store's", () => {
  test("fault 20: the index of another store is set aside and made anew", async () => {
    const world = simIndexWorld(1);
    await closedIndex(world);
    const index = await openedIndex(world, { store: Buffer.alloc(16, 8) });
    expectUnknown(index, [0, 100]);
    expect(world.warnings).toEqual([expect.stringContaining("it is of another store")]);
    expect(asides(world)).toHaveLength(1);
    await expectRebuilt(world, index);
  });

  test.each([
    ["a segment that the store does not have", names],
    ["a generation that the store has not come to", [{ segment: 9, generation: 0 }, ...names]],
  ])("fault 20: one that knows %s is set aside, and all is missing", async (_what, stored) => {
    const world = simIndexWorld(1);
    await closedIndex(world);
    const index = await openedIndex(world);
    await world.drive(index.add({ segment: 9, generation: 1 }, segmentOfBlocks(9, [900])));
    expect(await world.drive(index.missing(stored))).toEqual(stored);
    expect(index.state.isIncomplete).toBe(false);
    expect(world.warnings).toEqual([expect.stringContaining("segments that the store does not have")]);
    expectUnknown(index, [0, 100, 900]);
    await expectRebuilt(world, index);
  });

  test("fault 20: an old copy of it lacks what came later, and is told so", async () => {
    const world = simIndexWorld(1);
    await closedIndex(world);
    const old = fileBytes(world, mapPath);
    const later = await world.open();
    const { identity, changeCount } = later.state;
    await world.drive(later.forget(segmentOfBlocks(5, [0])));
    await world.drive(later.add({ segment: 7, generation: 0 }, segmentOfBlocks(7, [200])));
    await world.drive(later.close());
    writeFile(world, mapPath, old);
    const index = await openedIndex(world);
    const stored = [...names, { segment: 7, generation: 0 }];
    expect(await world.drive(index.missing(stored))).toEqual(stored.slice(2));
    // What was forgotten since is back, and whoever has relied on it can tell.
    expect(found(index, [0, 200])).toEqual([addressOf(5, 0), holeAddress]);
    expect(index.state).toMatchObject({ identity, changeCount });
    expect(index.figures().hasFilter).toBe(false);
  });
});

describe("a file that cannot be used", () => {
  test("fault 18: one that cannot be opened is set aside, and another begun", async () => {
    const world = simIndexWorld(1);
    await closedIndex(world);
    flipBit(world, mapPath, 300);
    const index = await openedIndex(world);
    expect(asides(world)).toHaveLength(1);
    await expectRebuilt(world, index);
  });

  const wrong: [string, Odd][] = [
    ["throws when it is read", { get: fail }],
    ["throws when it is changed", { change: fail }],
    ["has values of another length", { get: () => Buffer.alloc(7) }],
    ["has addresses that there cannot be", { get: () => Buffer.alloc(8, 0xff) }],
    ["has addresses in no segment", { get: () => Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]) }],
  ];
  test.each(wrong)("fault 18: one that %s is set aside at once, and a new one goes on", async (_what, odd) => {
    const world = simIndexWorld(1);
    const maps = new OddMaps(new SimSortedMaps(world.host.files));
    const index = await openedIndex(world, { maps });
    await addAll(world, index);
    const { identity } = index.state;
    maps.odd = odd;
    expectUnknown(index, "get" in odd ? [0, 100] : []);
    await world.drive(index.add({ segment: 7, generation: 0 }, segmentOfBlocks(7, [200])));
    await world.drive(index.flush());
    expect(world.warnings).toEqual([expect.stringContaining("set aside")]);
    expect(index.state.isIncomplete).toBe(true);
    expect(index.state.identity).not.toBe(identity);
    expect(found(index, [0, 200])).toEqual([holeAddress, addressOf(7, 0)]);
    const stored = [...names, { segment: 7, generation: 0 }];
    expect(await world.drive(index.missing(stored))).toEqual(names);
    expect(index.state.isIncomplete).toBe(false);
  });

  test("fault 18: one whose keys go in circles does not make the filter go on for ever", async () => {
    const world = simIndexWorld(1);
    await closedIndex(world);
    world.host.files.remove("/index/fingerprints.filter");
    const keys = (table: string) => (table === "fingerprints" ? [Buffer.alloc(8, 1)] : []);
    const maps = new OddMaps(new SimSortedMaps(world.host.files), { keys });
    const index = await openedIndex(world, { maps });
    await world.driver.quiet();
    expect(world.warnings).toEqual([expect.stringContaining("not in their order")]);
    await expectRebuilt(world, index);
  });

  test("fault 18: only so many that were set aside are kept", async () => {
    const world = simIndexWorld(1);
    for (let round = 0; round < indexAsideCountMax + 2; round++) {
      await closedIndex(world);
      flipBit(world, mapPath, 300);
    }
    await world.drive((await world.open()).close());
    expect(asides(world)).toEqual([`fingerprints.map.aside-${indexAsideCountMax + 2}`]);
  });
});

describe("an index without room", () => {
  test("fault 16: says so to who has to know, lets go of what it was told, and goes on when there is room", async () => {
    const world = simIndexWorld(1);
    const index = await openedIndex(world, tight);
    await addAll(world, index);
    await world.drive(index.forget(segmentOfBlocks(5, [0, 1])));
    world.host.disk.faults.capacityBytes = 0;
    await expect(world.drive(index.flush())).rejects.toThrow(RetryError);
    for (let segment = 10; segment < 15; segment++) {
      await world.drive(index.add({ segment, generation: 0 }, segmentOfBlocks(segment, numbers(segment * 1000, 400))));
    }
    expect(index.state.isIncomplete).toBe(true);
    expect(found(index, [0, 1, 2])).toEqual([holeAddress, holeAddress, addressOf(5, 2)]);
    expect(index.figures().gatheredCount).toBeLessThan(800);
    const stored = [...names, ...numbers(10, 5).map((segment) => ({ segment, generation: 0 }))];
    const missing = await world.drive(index.missing(stored));
    expect(missing.length).toBeGreaterThan(0);
    world.host.disk.faults.capacityBytes = Number.MAX_SAFE_INTEGER;
    const blocks = new Map(missing.map(({ segment }) => [segment, numbers(segment * 1000, 400)]));
    await world.drive(index.rebuild(directories(blocks, missing), () => {}));
    await world.drive(index.flush());
    expect(await world.drive(index.missing(stored))).toEqual([]);
    expect(found(index, [0, 2, 10_000, 14_399])).toEqual([
      holeAddress,
      addressOf(5, 2),
      addressOf(10, 0),
      addressOf(14, 399),
    ]);
    expect(asides(world)).toEqual([]);
  });

  test("fault 16: does not bring back what it could not forget in its file, but goes without all of it", async () => {
    const world = simIndexWorld(1);
    const index = await openedIndex(world, tight);
    const blocks = numbers(0, 2000);
    await world.drive(index.add({ segment: 5, generation: 0 }, segmentOfBlocks(5, blocks)));
    await world.drive(index.flush());
    world.host.disk.faults.capacityBytes = 0;
    await world.drive(index.forget(segmentOfBlocks(5, blocks)));
    expectUnknown(index, blocks);
    world.host.disk.faults.capacityBytes = Number.MAX_SAFE_INTEGER;
    await world.drive(index.flush());
    expectUnknown(index, blocks);
    expect(await world.drive(index.missing([{ segment: 5, generation: 0 }]))).toHaveLength(1);
  });

  test("fault 16: one that cannot even be begun is kept in memory until it can", async () => {
    const world = simIndexWorld(1);
    world.host.disk.faults.capacityBytes = 0;
    const index = await openedIndex(world);
    await world.drive(index.add({ segment: 5, generation: 0 }, segmentOfBlocks(5, [1])));
    expect(found(index, [1])).toEqual([addressOf(5, 0)]);
    await expect(world.drive(index.flush())).rejects.toThrow(RetryError);
    world.host.disk.faults.capacityBytes = Number.MAX_SAFE_INTEGER;
    await world.drive(index.flush());
    expect(index.figures().storedCount).toBe(1);
  });

  test("fault 16: what was forgotten while its file could not be opened is not found when it can", async () => {
    const world = simIndexWorld(1);
    await closedIndex(world);
    const maps = new OddMaps(new SimSortedMaps(world.host.files));
    maps.openError = Object.assign(new Error("no room"), { code: "ENOSPC" });
    const index = await openedIndex(world, { maps });
    await world.drive(index.forget(segmentOfBlocks(5, [0])));
    maps.openError = undefined;
    await world.drive(index.flush());
    expect(found(index, [0, 1])).toEqual([holeAddress, addressOf(5, 1)]);
  });
});

test("fault 13: a sync that fails sets the file aside, and nothing that was told is lost", async () => {
  const world = simIndexWorld(1);
  const index = await openedIndex(world);
  await addAll(world, index);
  await world.drive(index.add({ segment: 7, generation: 0 }, segmentOfBlocks(7, [200])));
  world.host.disk.failNext("sync");
  await world.drive(index.flush());
  expect(world.warnings).toEqual([expect.stringContaining("set aside")]);
  expect(found(index, [0, 200])).toEqual([holeAddress, addressOf(7, 0)]);
  expect(await world.drive(index.missing([...names, { segment: 7, generation: 0 }]))).toEqual(names);
});

test("fault 10: a file that was set aside does not come back when the power goes, even if no other could be begun", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const world = simIndexWorld(seed);
    await closedIndex(world);
    const maps = new OddMaps(new SimSortedMaps(world.host.files));
    const first = await world.open({ maps });
    maps.openError = Object.assign(new Error("no room"), { code: "ENOSPC" });
    await world.drive(first.missing([]));
    await world.drive(first.flush());
    world.host.cutPower();
    const index = await world.open();
    expectUnknown(index, [0, 1, 100]);
    await world.drive(index.close());
  }
});

test("a file that was lost to a question is out of the way after a flush", async () => {
  const world = simIndexWorld(1);
  const maps = new OddMaps(new SimSortedMaps(world.host.files));
  const index = await openedIndex(world, { maps });
  await addAll(world, index);
  const { identity } = index.state;
  maps.odd = { get: fail };
  expectUnknown(index, [0]);
  await world.drive(index.flush());
  expect(asides(world)).toHaveLength(1);
  expect(index.state.identity).not.toBe(identity);
});

test("a segment of which a part went into a file that was lost is not known", async () => {
  const world = simIndexWorld(1);
  const maps = new OddMaps(new SimSortedMaps(world.host.files));
  const index = await openedIndex(world, { ...tight, maps });
  async function* pieces() {
    yield segmentOfBlocks(5, numbers(0, 1000));
    maps.odd = { change: fail };
    yield segmentOfBlocks(5, numbers(1000, 1000));
  }
  async function* all() {
    yield { segment: 5, generation: 0, pieces: pieces() };
  }
  await world.drive(index.rebuild(all(), () => {}));
  expect(asides(world)).toHaveLength(1);
  expect(await world.drive(index.missing([{ segment: 5, generation: 0 }]))).toHaveLength(1);
});

function fail(): never {
  throw new SortedMapError("MDB_CORRUPTED: Located page was wrong type");
}
