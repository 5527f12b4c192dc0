import { expect, test } from "vitest";
import { endOfBlocks } from "#src/journals/block-extent.ts";
import { BlockTouches } from "#src/journals/block-touches.ts";
import { holeAddress } from "#src/records/address.ts";
import { ExtentRows } from "#src/synth/extent-rows.ts";
import { type FlatTouches, touchedRows } from "#src/synth/touched-rows.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const volume = 3;

/** A record writes so many blocks from there on. */
type Touch = readonly [startBlock: number, blockCount: number];

function flat(touches: readonly Touch[]): FlatTouches {
  return {
    startBlocks: Float64Array.from(touches, ([startBlock]) => startBlock),
    blockCounts: Float64Array.from(touches, ([, blockCount]) => blockCount),
    addresses: Float64Array.from(touches, (_, place) => (place % 7 === 3 ? holeAddress : 65_536 + place * 1000)),
    seqs: Float64Array.from(touches, (_, place) => 10 + place),
  };
}

function extentsOf(rows: ExtentRows) {
  return [...rows.extents(volume)];
}

/** As the long way has it for all of them. */
function expected({ startBlocks, blockCounts, addresses, seqs }: FlatTouches, places: Uint32Array) {
  const all = new BlockTouches();
  for (const place of places) {
    const [startBlock, blockCount] = [startBlocks[place] as number, blockCounts[place] as number];
    const said = { startBlock, blockCount, address: addresses[place] as number, seq: seqs[place] as number };
    all.add({ volume, level: 0, ...said });
  }
  return extentsOf(ExtentRows.of(all.extents(), volume));
}

function check(touches: readonly Touch[], isChosen: (place: number) => boolean = () => true): number {
  const all = flat(touches);
  const places = Uint32Array.from(touches.keys()).filter(isChosen);
  const found = extentsOf(touchedRows(all, places, volume));
  expect(found).toEqual(expected(all, places));
  return found.length;
}

test("of records that overlap in any way the last one counts for each block", () => {
  const random = new SeededRandom(7);
  for (let round = 0; round < 200; round++) {
    const [blocks, longest] = [random.between(1, 400), random.between(1, 30)];
    const touches = Array.from(
      { length: random.between(1, 120) },
      () => [random.integerBelow(blocks), random.integerBelow(8) === 0 ? random.between(1, longest) : 1] as const,
    );
    check(touches);
    check(touches, (place) => place % 3 !== 0);
  }
});

test("a block that is written again and again is one row, and so is each of many that are far from each other", () => {
  expect(check(Array.from({ length: 500 }, () => [77, 4] as const))).toBe(1);
  expect(check(Array.from({ length: 500 }, (_, place) => [(499 - place) * 2 ** 30, 1] as const))).toBe(500);
  expect(check([])).toBe(0);
});

test("all blocks behind an end count too, and numbers too large to be sorted in one", () => {
  check([
    [5, 1],
    [90, 20],
    [100, endOfBlocks - 100],
    [120, 1],
    [4, 3],
  ]);
  check([
    [2 ** 52, 1],
    [7, 1],
    [2 ** 52 - 1, 3],
  ]);
});
