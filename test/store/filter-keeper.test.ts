import { expect, test } from "vitest";
import { FilterKeeper, type FilterParts } from "#src/store/filter-keeper.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { simIndexWorld } from "./index-world.ts";

const about = { store: Buffer.alloc(16, 1), identity: Buffer.alloc(16, 2), changeCount: 3 };
const random = new SeededRandom(5);

/** Keys of a file, told some at a time. */
class Keys {
  readonly all: Buffer[] = [];
  #isBroken = false;

  get fingerprintCount(): number {
    return this.all.length;
  }

  break(): void {
    this.#isBroken = true;
  }

  /** Not of those that come meanwhile. */
  *keyPieces(): Iterable<readonly Buffer[]> {
    const all = [...this.all];
    for (let at = 0; at < all.length; at += 50) {
      if (this.#isBroken) throw new Error("the file cannot be read");
      yield all.slice(at, at + 50);
    }
  }
}

function world(changed: Partial<FilterParts> = {}) {
  const { host, driver, warnings } = simIndexWorld(1);
  const faults: unknown[] = [];
  const parts = {
    files: host.files,
    clock: host.clock,
    log: host.log,
    path: "/index/a",
    keyCountMin: 100,
    bytesMax: 100_000,
  };
  const keeper = new FilterKeeper({ ...parts, onFault: (error) => faults.push(error), ...changed });
  const keys = new Keys();
  const add = (count: number): void => {
    for (let key = 0; key < count; key++) {
      const bytes = random.bytes(8);
      keys.all.push(bytes);
      keeper.add(bytes.readUInt32BE(0), bytes.readUInt32BE(4));
    }
    keeper.tend();
  };
  const mayHave = (bytes: Buffer): boolean => keeper.mayHave(bytes.readUInt32BE(0), bytes.readUInt32BE(4));
  const wrongPart = (): number =>
    Array.from({ length: 1000 }, () => mayHave(random.bytes(8))).filter(Boolean).length / 1000;
  return { keeper, keys, add, mayHave, wrongPart, driver, faults, warnings };
}

test("a filter for an empty file is there at once", async () => {
  const { keeper, keys, driver, mayHave } = world();
  keeper.begin(keys, about);
  await driver.quiet();
  expect([keeper.isThere, mayHave(random.bytes(8))]).toEqual([true, false]);
});

test("a larger one is made while keys come, has all of them, and takes the place of the crowded one", async () => {
  const { keeper, keys, add, mayHave, wrongPart, driver } = world();
  keeper.begin(keys, about);
  await driver.quiet();
  const { bytes } = keeper;
  for (let round = 0; round < 20; round++) {
    add(100);
    expect(keys.all.every(mayHave)).toBe(true);
  }
  await driver.quiet();
  expect(keeper.bytes).toBeGreaterThan(bytes);
  add(1);
  await driver.quiet();
  expect(keys.all.every(mayHave)).toBe(true);
  expect(wrongPart()).toBeLessThan(0.05);
});

test("it never becomes larger than it may, and then is not made anew again and again", async () => {
  const { keeper, keys, add, mayHave, driver } = world({ bytesMax: 320 });
  keeper.begin(keys, about);
  await driver.quiet();
  for (let round = 0; round < 10; round++) {
    add(200);
    expect(keeper.bytes).toBeLessThanOrEqual(640);
    await driver.quiet();
    expect(keeper.bytes).toBeLessThanOrEqual(320);
  }
  expect(keys.all.every(mayHave)).toBe(true);
});

test("an empty one is exchanged for one that has room for what is about to come", async () => {
  const { keeper, keys, add, wrongPart, driver } = world();
  keeper.begin(keys, about);
  await driver.quiet();
  keeper.expect(3000);
  add(3000);
  expect(wrongPart()).toBeLessThan(0.05);
});

test("until there is one everything may be there, and one that was stopped is not made to its end", async () => {
  const { keeper, keys, driver, mayHave } = world();
  for (let key = 0; key < 500; key++) keys.all.push(random.bytes(8));
  keeper.begin(keys, about);
  expect([keeper.isThere, mayHave(random.bytes(8))]).toEqual([false, true]);
  keeper.stop();
  keys.break();
  await driver.quiet();
  expect([keeper.isThere, keeper.bytes]).toEqual([false, 0]);
});

test("a file that cannot be read to its end is told, and there is no filter", async () => {
  const { keeper, keys, driver, faults } = world();
  for (let key = 0; key < 500; key++) keys.all.push(random.bytes(8));
  keys.break();
  keeper.begin(keys, about);
  await driver.quiet();
  expect([keeper.isThere, faults]).toEqual([false, [new Error("the file cannot be read")]]);
});
