import fs from "node:fs";
import { expect, test } from "vitest";
import { lmdbMaps } from "#src/host/node/sorted-map.ts";
import { SortedMapError } from "#src/host/sorted-map.ts";
import { realDriver } from "#test/contract/driver.ts";
import { describeSortedMapContract } from "#test/contract/sorted-map.ts";
import { temporaryFolder } from "./temporary-folder.ts";

describeSortedMapContract("maps of LMDB", () => ({
  maps: lmdbMaps,
  driver: realDriver,
  path: `${temporaryFolder()}/a.map`,
  exists: (path) => fs.existsSync(path),
}));

test("a file that is no map is refused", () => {
  const path = `${temporaryFolder()}/a.map`;
  for (const content of [Buffer.alloc(65_536, 0x55), Buffer.alloc(65_536), Buffer.from("short")]) {
    fs.writeFileSync(path, content);
    expect(() => lmdbMaps.open(path, ["a"])).toThrow(SortedMapError);
  }
});

test("a file that lacks its end is refused where it is needed, and ends nobody", async () => {
  const path = `${temporaryFolder()}/a.map`;
  const map = lmdbMaps.open(path, ["a"]);
  const keys = Array.from({ length: 5000 }, (_, number) => Buffer.from(`key ${number}`));
  await map.change((changes) => {
    for (const key of keys) changes.put("a", key, key);
  });
  await map.close();
  fs.truncateSync(path, 3 * 4096);
  expect(() => {
    const damaged = lmdbMaps.open(path, ["a"]);
    for (const key of keys) damaged.get("a", key);
  }).toThrow(SortedMapError);
});

test("a lock that a crash has left is in nobody's way", async () => {
  const path = `${temporaryFolder()}/a.map`;
  fs.writeFileSync(`${path}-lock`, Buffer.alloc(8192, 0x55));
  const map = lmdbMaps.open(path, ["a"]);
  await map.change((changes) => changes.put("a", Buffer.from("k"), Buffer.from("v")));
  expect(map.get("a", Buffer.from("k"))?.toString()).toBe("v");
  await map.close();
});

test("only the owner may read what is created", async () => {
  const path = `${temporaryFolder()}/a.map`;
  const map = lmdbMaps.open(path, ["a"]);
  expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  await map.close();
});
