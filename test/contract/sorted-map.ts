/** What every implementation of the sorted maps port must do. */
import { describe, expect, test } from "vitest";
import { type SortedMap, SortedMapError, type SortedMaps } from "#src/host/sorted-map.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { type Driver, driven } from "./driver.ts";

export interface SortedMapBench {
  readonly maps: SortedMaps;
  readonly driver: Driver;
  /** In an empty folder for the test alone. */
  readonly path: string;
  exists(path: string): boolean;
}

const tables = ["a", "b"];
const bytes = (text: string): Buffer => Buffer.from(text);

export function describeSortedMapContract(name: string, make: () => SortedMapBench): void {
  describe(`${name} keep the contract of sorted maps`, () => {
    describeChanges(make);
    describeKeys(make);
    describeFiles(make);
  });
}

interface World extends SortedMapBench {
  readonly map: SortedMap;
  put(table: string, entries: Record<string, string>): Promise<void>;
}

function world(make: () => SortedMapBench): World {
  const bench = make();
  const map = bench.maps.open(bench.path, tables);
  const put = (table: string, entries: Record<string, string>): Promise<void> =>
    driven(
      bench.driver,
      map.change((changes) => {
        for (const [key, value] of Object.entries(entries)) changes.put(table, bytes(key), bytes(value));
      }),
    );
  return { ...bench, map, put };
}

function text(map: SortedMap, table: string, key: string): string | undefined {
  return map.get(table, bytes(key))?.toString();
}

function describeChanges(make: () => SortedMapBench): void {
  test("a map that is new is empty", async () => {
    const { map, driver } = world(make);
    expect([text(map, "a", "k"), map.keys("a", undefined, 10), map.count("a")]).toEqual([undefined, [], 0]);
    await driven(driver, map.close());
  });

  test("what was put is found in its table, whole and with its length", async () => {
    const { map, put, driver } = world(make);
    await put("a", { key: "a long value of the first" });
    await put("b", { key: "other" });
    expect([text(map, "a", "key"), text(map, "b", "key"), text(map, "a", "ke")]).toEqual([
      "a long value of the first",
      "other",
      undefined,
    ]);
    expect(map.get("b", bytes("key"))).toHaveLength(5);
    expect([map.count("a"), map.count("b")]).toEqual([1, 1]);
    await driven(driver, map.close());
  });

  test("another value takes the place of one, and what was removed is gone", async () => {
    const { map, put, driver } = world(make);
    await put("a", { one: "1", two: "2" });
    await put("a", { one: "uno" });
    await driven(
      driver,
      map.change((changes) => {
        changes.remove("a", bytes("two"));
        changes.remove("a", bytes("three"));
      }),
    );
    expect([text(map, "a", "one"), text(map, "a", "two"), map.count("a")]).toEqual(["uno", undefined, 1]);
    await driven(driver, map.close());
  });

  test("a key and a value are copied when they are put", async () => {
    const { map, driver } = world(make);
    const [key, value] = [bytes("k0"), bytes("v0")];
    await driven(
      driver,
      map.change((changes) => {
        for (const digit of ["1", "2", "3"]) {
          key.write(digit, 1);
          value.write(digit, 1);
          changes.put("a", key, value);
        }
      }),
    );
    expect(["k0", "k1", "k2", "k3"].map((one) => text(map, "a", one))).toEqual([undefined, "v1", "v2", "v3"]);
    await driven(driver, map.close());
  });

  test("a change whose words fail changes nothing", async () => {
    const { map, put, driver } = world(make);
    await put("a", { one: "1" });
    const change = map.change((changes) => {
      changes.put("a", bytes("one"), bytes("2"));
      changes.put("no such table", bytes("one"), bytes("2"));
    });
    await expect(driven(driver, change)).rejects.toThrow(SortedMapError);
    expect(text(map, "a", "one")).toBe("1");
    await put("a", { two: "2" });
    expect([text(map, "a", "one"), text(map, "a", "two")]).toEqual(["1", "2"]);
    await driven(driver, map.close());
  });
}

function describeKeys(make: () => SortedMapBench): void {
  test("keys are told in the order of their bytes, some at a time", async () => {
    const { map, driver } = world(make);
    const random = new SeededRandom(1);
    const keys = Array.from({ length: 1000 }, () => random.bytes(8));
    keys.push(Buffer.alloc(8), Buffer.alloc(8, 0xff));
    await driven(
      driver,
      map.change((changes) => {
        for (const key of keys) changes.put("a", key, key);
      }),
    );
    const found: Buffer[] = [];
    for (;;) {
      const more = map.keys("a", found.at(-1), 37);
      expect(more.length).toBeLessThanOrEqual(37);
      if (more.length === 0) break;
      found.push(...more);
    }
    expect(found).toEqual(keys.sort(Buffer.compare));
    await driven(driver, map.close());
  });

  test("keys may be asked for behind one that is not there", async () => {
    const { map, put, driver } = world(make);
    await put("a", { b: "1", d: "2" });
    expect(map.keys("a", bytes("c"), 5).map(String)).toEqual(["d"]);
    expect(map.keys("a", bytes("d"), 5)).toEqual([]);
    await driven(driver, map.close());
  });

  test("what is put while keys are told is told, or not, and nothing else goes wrong", async () => {
    const { map, put, driver } = world(make);
    await put("a", { b: "1", d: "2" });
    const [first] = map.keys("a", undefined, 1);
    await put("a", { a: "0", c: "3" });
    expect(map.keys("a", first, 5).map(String)).toEqual(["c", "d"]);
    await driven(driver, map.close());
  });
}

function describeFiles(make: () => SortedMapBench): void {
  test("all of it is there when it is opened again", async () => {
    const { map, maps, put, path, driver } = world(make);
    await put("a", { one: "1" });
    await put("b", { two: "2" });
    expect(map.sizeBytes()).toBeGreaterThan(0);
    await driven(driver, map.close());
    const again = maps.open(path, tables);
    expect([text(again, "a", "one"), text(again, "b", "two"), again.count("a")]).toEqual(["1", "2", 1]);
    await driven(driver, again.close());
  });

  test("one that was renamed is there under its new name only, and another is begun in its place", async () => {
    const { map, maps, put, path, driver, exists } = world(make);
    await put("a", { one: "1" });
    await driven(driver, map.close());
    maps.rename(path, `${path}.aside`);
    expect([exists(path), exists(`${path}.aside`)]).toEqual([false, true]);
    const fresh = maps.open(path, tables);
    expect(text(fresh, "a", "one")).toBe(undefined);
    const old = maps.open(`${path}.aside`, tables);
    expect(text(old, "a", "one")).toBe("1");
    await driven(driver, fresh.close());
    await driven(driver, old.close());
  });

  test("one that was removed is gone, and nothing happens where there is none", async () => {
    const { map, maps, put, path, driver, exists } = world(make);
    await put("a", { one: "1" });
    await driven(driver, map.close());
    maps.remove(path);
    maps.remove(path);
    expect(exists(path)).toBe(false);
  });
}
