import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { indexOpeningCountMax } from "#src/core/store-limits.ts";
import { addressOf } from "#src/records/address.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { chanceDamages, DamagedIndex } from "./damaged-index-runs.ts";
import { found } from "./index-blocks.ts";
import { indexContents } from "./index-damage.ts";
import { openedIndex, realIndexWorld } from "./index-world.ts";

test("fault 18: a damaged file of LMDB costs at most a few processes, then there is an index that works", () => {
  const runs = new DamagedIndex("large").runs(chanceDamages(1, 12), indexOpeningCountMax + 1);
  const { newBlocks } = indexContents.large;
  expect(runs.filter(({ wrongCount, lostCount }) => wrongCount > 0 || lostCount > newBlocks.length / 2)).toEqual([]);
  expect(runs.filter(({ isMissing }) => isMissing).length).toBeGreaterThan(0);
});

test("fault 9: what a process had flushed is there when it was killed, and the rest is missing", async () => {
  const folder = temporaryFolder();
  const program = fileURLToPath(new URL("killed-index.ts", import.meta.url));
  const { signal } = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", program, folder]);
  expect(signal).toBe("SIGKILL");
  const index = await openedIndex(realIndexWorld(folder));
  const stored = [1, 2].map((segment) => ({ segment, generation: 0 }));
  expect(await index.missing(stored)).toEqual(stored.slice(1));
  expect(found(index, [0, 1999, 5000])).toEqual([addressOf(1, 0), addressOf(1, 1999), 0]);
});
