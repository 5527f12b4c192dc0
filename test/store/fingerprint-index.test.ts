import { describe, expect, test } from "vitest";
import { addressOf, holeAddress } from "#src/records/address.ts";
import { directories, found, keptBlocks, numbers, segmentOfBlocks } from "./index-blocks.ts";
import { expectUnknown, type IndexWorld, openedIndex, realIndexWorld, simIndexWorld, tight } from "./index-world.ts";

const worlds: [string, () => IndexWorld][] = [
  ["over a simulated map", () => simIndexWorld(1)],
  ["over LMDB", () => realIndexWorld()],
];

describe.each(worlds)("an index %s", (_name, make) => {
  test("knows what was added, and nothing else", async () => {
    const world = make();
    const index = await openedIndex(world);
    expectUnknown(index, [1, 2]);
    await world.drive(index.add({ segment: 5, generation: 0 }, segmentOfBlocks(5, [1, 2])));
    expect(found(index, [2, 3, 1])).toEqual([addressOf(5, 1), holeAddress, addressOf(5, 0)]);
    await world.drive(index.flush());
    expect(found(index, [2, 3, 1])).toEqual([addressOf(5, 1), holeAddress, addressOf(5, 0)]);
  });

  test("has all of it when it is opened again, and says that nothing is missing", async () => {
    const world = make();
    const first = await world.open();
    await world.drive(first.add({ segment: 5, generation: 2 }, segmentOfBlocks(5, numbers(0, 5000))));
    await world.drive(first.close());
    const index = await openedIndex(world);
    expect(found(index, [4999])).toEqual([addressOf(5, 4999)]);
    expect(await world.drive(index.missing([{ segment: 5, generation: 2 }]))).toEqual([]);
    expect(index.figures()).toMatchObject({ storedCount: 5000, gatheredCount: 0, segmentCount: 1, hasFilter: true });
  });

  test("says which segments it has to be told of", async () => {
    const world = make();
    const index = await openedIndex(world);
    await world.drive(index.add({ segment: 5, generation: 0 }, segmentOfBlocks(5, [1])));
    const stored = [
      { segment: 5, generation: 0 },
      { segment: 5, generation: 1 },
      { segment: 6, generation: 0 },
    ];
    expect(await world.drive(index.missing(stored.slice(0, 1)))).toEqual([]);
    expect(await world.drive(index.missing(stored))).toEqual(stored.slice(1));
    await world.drive(index.add({ segment: 5, generation: 1 }, keptBlocks([])));
    expect(await world.drive(index.missing(stored))).toEqual(stored.slice(2));
    expect(found(index, [1])).toEqual([addressOf(5, 0)]);
  });

  test("does not find what was forgotten, unless it points elsewhere by now", async () => {
    const world = make();
    const first = await world.open();
    await world.drive(first.add({ segment: 5, generation: 0 }, segmentOfBlocks(5, [1, 2, 3])));
    await world.drive(first.flush());
    await world.drive(first.add({ segment: 6, generation: 0 }, segmentOfBlocks(6, [2])));
    await world.drive(first.forget(segmentOfBlocks(5, [1, 2])));
    const expected = [holeAddress, addressOf(6, 0), addressOf(5, 2)];
    expect(found(first, [1, 2, 3])).toEqual(expected);
    await world.drive(first.flush());
    expect(found(first, [1, 2, 3])).toEqual(expected);
    await world.drive(first.close());
    expect(found(await openedIndex(world), [1, 2, 3])).toEqual(expected);
  });

  test("finds again what was forgotten and added once more", async () => {
    const world = make();
    const index = await openedIndex(world);
    await world.drive(index.add({ segment: 5, generation: 0 }, segmentOfBlocks(5, [1])));
    await world.drive(index.flush());
    await world.drive(index.forget(segmentOfBlocks(5, [1])));
    await world.drive(index.add({ segment: 6, generation: 0 }, segmentOfBlocks(6, [1])));
    expect(found(index, [1])).toEqual([addressOf(6, 0)]);
  });

  test("does without a segment that the store will not have", async () => {
    const world = make();
    const first = await world.open();
    await world.drive(first.add({ segment: 5, generation: 0 }, segmentOfBlocks(5, [1])));
    await world.drive(first.add({ segment: 6, generation: 0 }, segmentOfBlocks(6, [2])));
    await world.drive(first.flush());
    await world.drive(first.forget(segmentOfBlocks(5, [1])));
    await world.drive(first.forgetSegment(5));
    await world.drive(first.close());
    const index = await openedIndex(world);
    expect(await world.drive(index.missing([{ segment: 6, generation: 0 }]))).toEqual([]);
    expect(found(index, [1, 2])).toEqual([holeAddress, addressOf(6, 0)]);
  });

  test("goes on beyond its memory, and is right without a filter that is of use", async () => {
    const world = make();
    const index = await openedIndex(world, tight);
    for (let segment = 1; segment <= 5; segment++) {
      await world.drive(
        index.add({ segment, generation: 0 }, segmentOfBlocks(segment, numbers(segment * 10_000, 1500))),
      );
    }
    const { storedCount, gatheredCount, filterBytes, flushCount } = index.figures();
    expect([storedCount + gatheredCount, filterBytes <= 2 * tight.filterBytesMax]).toEqual([7500, true]);
    expect(flushCount).toBeGreaterThan(5);
    expect(gatheredCount).toBeLessThan(1000);
    expect(found(index, [10_000, 31_499, 51_499])).toEqual([addressOf(1, 0), addressOf(3, 1499), addressOf(5, 1499)]);
    expectUnknown(index, numbers(90_000, 2000));
    expect(index.figures().fileMissCount).toBeGreaterThan(100);
  });

  test("has a filter that keeps nearly all questions in vain from the file", async () => {
    const world = make();
    const index = await openedIndex(world);
    await world.drive(index.add({ segment: 1, generation: 0 }, segmentOfBlocks(1, numbers(0, 20_000))));
    await world.drive(index.flush());
    expectUnknown(index, numbers(50_000, 10_000));
    expect(index.figures()).toMatchObject({ lookupCount: 10_000, hitCount: 0 });
    expect(index.figures().fileMissCount).toBeLessThan(200);
  });

  test("is rebuilt from directories, and says how far it is", async () => {
    const world = make();
    const index = await openedIndex(world, tight);
    const segments = new Map([
      [3, numbers(0, 1000)],
      [4, numbers(5000, 10)],
    ]);
    const missing = await world.drive(
      index.missing([...segments.keys()].map((segment) => ({ segment, generation: 1 }))),
    );
    const told: number[] = [];
    const done = await world.drive(
      index.rebuild(directories(segments, missing), (so) => told.push(so.fingerprintCount)),
    );
    expect(done).toEqual({ segmentCount: 2, fingerprintCount: 1010, unreadable: [] });
    expect(told).toEqual([1000, 1010]);
    expect(found(index, [0, 999, 5009])).toEqual([addressOf(3, 0), addressOf(3, 999), addressOf(4, 9)]);
    expect(
      await world.drive(index.missing([...segments.keys()].map((segment) => ({ segment, generation: 1 })))),
    ).toEqual([]);
  });

  test("a directory that cannot be read is told, stays missing, and keeps no other from being read", async () => {
    const world = make();
    const index = await openedIndex(world);
    const names = [1, 2].map((segment) => ({ segment, generation: 0 }));
    async function* damaged() {
      yield segmentOfBlocks(1, [10]);
      throw new Error("the checksum of the second part is wrong");
    }
    async function* all() {
      yield { segment: 1, generation: 0, pieces: damaged() };
      yield* directories(new Map([[2, [20]]]), names.slice(1));
    }
    const done = await world.drive(index.rebuild(all(), () => {}));
    expect(done).toEqual({ segmentCount: 1, fingerprintCount: 1, unreadable: [names[0]] });
    expect(await world.drive(index.missing(names))).toEqual([names[0]]);
    expect(found(index, [10, 20])).toEqual([addressOf(1, 0), addressOf(2, 0)]);
  });

  test("is opened by one only", async () => {
    const world = make();
    await openedIndex(world);
    await expect(world.open()).rejects.toThrow("EBUSY");
  });

  test("its identity stays, and its count grows with what becomes durable", async () => {
    const world = make();
    const first = await world.open();
    const { identity, changeCount } = first.state;
    await world.drive(first.add({ segment: 1, generation: 0 }, segmentOfBlocks(1, [1])));
    await world.drive(first.flush());
    expect(first.state).toMatchObject({ identity, changeCount: changeCount + 1 });
    await world.drive(first.close());
    expect((await openedIndex(world)).state).toMatchObject({ identity, changeCount: changeCount + 1 });
  });
});
