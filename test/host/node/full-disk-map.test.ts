/** A map of LMDB on a file system of its own that has no room for it. */
import fs from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { lmdbMaps } from "#src/host/node/sorted-map.ts";
import { succeed } from "#test/clients/command.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "./temporary-folder.ts";

needPrograms("mount", "umount");

test("fault 16: a full disk is said to be full, nothing is changed, and it goes on when there is room", async () => {
  const folder = temporaryFolder();
  await succeed("mount", ["-t", "tmpfs", "-o", "size=3M", "none", folder]);
  onTestFinished(async () => void (await succeed("umount", ["--lazy", folder])));
  fs.writeFileSync(`${folder}/filler`, Buffer.alloc(2 * 1024 * 1024, 1));
  const map = lmdbMaps.open(`${folder}/a.map`, ["a"]);
  const put = (from: number, count: number): Promise<void> =>
    map.change((changes) => {
      const key = Buffer.alloc(8);
      for (let number = from; number < from + count; number++) {
        key.writeUInt32BE(number);
        changes.put("a", key, key);
      }
    });
  await put(0, 100);
  await expect(put(100, 100_000)).rejects.toMatchObject({ code: "ENOSPC" });
  expect(() => lmdbMaps.open(`${folder}/b.map`, ["a"])).toThrow("ENOSPC");
  expect(map.count("a")).toBe(100);
  fs.rmSync(`${folder}/filler`);
  await put(100, 10_000);
  expect(map.count("a")).toBe(10_100);
  await map.close();
});
