import { expect, test } from "vitest";
import { viewRegionBlocks } from "#src/core/view-limits.ts";
import { holeAddress } from "#src/records/address.ts";
import { BlockTable } from "#src/synth/block-table.ts";
import { OverlayMap, OverlayRun, untouched } from "#src/synth/overlay-map.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

/** All blocks one by one, as runs tell of them. */
function readAll(map: OverlayMap, startBlock: number, endBlock: number): number[] {
  const run = new OverlayRun();
  const blocks: number[] = [];
  for (let block = startBlock; block < endBlock; block += run.blockCount) {
    map.runAt(block, endBlock, run);
    for (let index = 0; index < run.blockCount; index++) {
      blocks.push(run.address > holeAddress ? run.address + index : run.address);
    }
  }
  return blocks;
}

test("a table of blocks is what a map would be, whatever comes and goes", () => {
  const random = new SeededRandom(7);
  const table = new BlockTable();
  const oracle = new Map<number, number>();
  for (let step = 0; step < 50_000; step++) {
    const block = random.integerBelow(3) === 0 ? random.integerBelow(500) : 2 ** 40 + random.integerBelow(2000) * 1024;
    if (random.integerBelow(3) === 0) expect(table.delete(block)).toBe(oracle.delete(block));
    else {
      expect(table.set(block, step)).toBe(!oracle.has(block));
      oracle.set(block, step);
    }
    const asked = random.integerBelow(500);
    expect(table.get(asked)).toBe(oracle.get(asked) ?? -1);
  }
  expect(table.count).toBe(oracle.size);
  for (const [block, value] of oracle) expect(table.get(block)).toBe(value);
});

test("each block has what was written to it last, zeros, or the point's", () => {
  const blockCount = 5 * viewRegionBlocks + 17;
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const map = new OverlayMap(blockCount);
    const oracle = new Array<number>(blockCount).fill(untouched);
    for (let step = 0; step < 60; step++) {
      const startBlock = random.integerBelow(blockCount);
      const limit = random.integerBelow(2) === 0 ? 8 : 3 * viewRegionBlocks;
      const count = 1 + random.integerBelow(Math.min(limit, blockCount - startBlock));
      if (random.integerBelow(3) > 0) {
        const address = 65_536 * (step + 1);
        map.write(startBlock, count, address);
        for (let index = 0; index < count; index++) oracle[startBlock + index] = address + index;
      } else {
        map.clear(startBlock, count);
        oracle.fill(holeAddress, startBlock, startBlock + count);
      }
    }
    expect(readAll(map, 0, blockCount)).toEqual(oracle);
    expect(map.tableBlocks).toBeLessThanOrEqual(blockCount);
  }
});

test("a disk of 16 TiB that is trimmed whole takes no memory for its blocks", () => {
  const blockCount = 2 ** 32;
  const map = new OverlayMap(blockCount);
  map.write(5, 3, 65_536);
  map.clear(0, blockCount);
  expect(map.tableBlocks).toBe(0);
  const run = new OverlayRun();
  map.runAt(0, blockCount, run);
  expect(run).toEqual({ blockCount, address: holeAddress });
});
