import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { OverlayMap } from "#src/synth/overlay-map.ts";
import { SinceContext } from "#src/synth/since-context.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const blockCount = 5000;

/** Ranges that differ, and what was written to the view; both at random. */
function contextOf(seed: number, isWritable: boolean) {
  const random = new SeededRandom(seed);
  const isDirty = new Array<boolean>(blockCount).fill(false);
  const ranges: { readonly fromBlock: number; readonly toBlock: number; readonly isHole: boolean }[] = [];
  for (let block = random.integerBelow(9); block < blockCount - 30; block += 1 + random.integerBelow(60)) {
    const toBlock = block + 1 + random.integerBelow(20);
    ranges.push({ fromBlock: block, toBlock, isHole: random.chance(0.3) });
    isDirty.fill(true, block, toBlock);
    block = toBlock;
  }
  const overlay = new OverlayMap(blockCount);
  for (let count = 0; isWritable && count < 40; count++) {
    const [block, length] = [random.integerBelow(blockCount - 40), 1 + random.integerBelow(40)];
    if (random.chance(0.5)) overlay.write(block, length, 65_536 + block);
    else overlay.clear(block, length);
    isDirty.fill(true, block, block + length);
  }
  const context = new SinceContext({
    name: "monday",
    differences: async (fromBlock, rangesMax) => {
      const all = ranges.filter(({ toBlock }) => toBlock > fromBlock);
      const found = all.slice(0, rangesMax).map((one) => ({ ...one, fromBlock: Math.max(one.fromBlock, fromBlock) }));
      return { ranges: found, nextBlock: all[rangesMax]?.fromBlock };
    },
    overlay: () => (isWritable ? overlay : undefined),
  });
  return { context, isDirty, random };
}

test("every byte is told as dirty where it was written between, or in the view, and as clean elsewhere", async () => {
  for (const [seed, isWritable] of [
    [1, false],
    [2, true],
    [3, true],
  ] as const) {
    const { context, isDirty, random } = contextOf(seed, isWritable);
    expect(context.name).toBe("qemu:dirty-bitmap:monday");
    const end = blockCount * blockBytes;
    for (let offset = 0; offset < end; ) {
      const lengthBytes = Math.min(end - offset, 1 + random.integerBelow(400 * blockBytes));
      const countMax = random.pick([1, 2, 7, 1000]);
      const extents = await context.extents(offset, lengthBytes, countMax);
      expect(extents.length).toBeGreaterThan(0);
      expect(extents.length).toBeLessThanOrEqual(countMax);
      for (const { lengthBytes: bytes, status } of extents) {
        expect(bytes).toBeGreaterThan(0);
        for (let at = offset; at < Math.min(offset + bytes, end); at = (Math.floor(at / blockBytes) + 1) * blockBytes) {
          expect([at, status === 1]).toEqual([at, isDirty[Math.floor(at / blockBytes)]]);
        }
        offset += bytes;
      }
    }
  }
});
