import { expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { differencePiecesMax } from "#src/core/restore-limits.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import type { BlockDifference } from "#src/synth/block-difference.ts";
import type { PointDifference, WantedDifference } from "#src/synth/point-changes.ts";
import { contentOf, type PlainRecord, type Unit, volumeBlocks, volumeCount } from "#test/journals/random-units.ts";
import { PointWorld } from "./point-world.ts";

/** Every block on which a record between them decided last, and whether it is a hole then, within the volume as it was at `sizeSeq`. */
async function wanted(
  world: PointWorld,
  volume: number,
  [afterSeq, seq]: readonly [number, number],
  sizeSeq: number,
): Promise<string[]> {
  const found: string[] = [];
  const image = await world.image(volume, sizeSeq);
  image.close();
  for (let block = 0; block < Math.min(image.blockCount, volumeBlocks); block++) {
    const content = contentOf(world.records, volume, block, seq);
    if (content !== undefined && content.seq > afterSeq) found.push(`${block} ${content.address === 0}`);
  }
  return found;
}

function told(ranges: readonly BlockDifference[]): string[] {
  let end = -1;
  return ranges.flatMap(({ fromBlock, toBlock, isHole }) => {
    expect(fromBlock).toBeGreaterThanOrEqual(end);
    end = toBlock;
    return Array.from({ length: toBlock - fromBlock }, (_, index) => `${fromBlock + index} ${isHole}`);
  });
}

function resized(world: PointWorld, blockCount: number): Unit {
  const { timeMicros, epoch, seq } = world.records.at(-1) as PlainRecord;
  const extra = encodeExtra({ sizeBytes: blockCount * blockBytes });
  const nothing = { startBlock: 0, blockCount: 0, address: 0, ordinal: 0, level: 0, extraAt: 0 };
  const facts = { type: recordType.resize, volume: 1, seq: seq + 1, timeMicros, epoch, extraBytes: extra.length };
  return { firstSeq: seq + 1, isAggregate: false, records: [{ ...facts, ...nothing }], bytes: extra };
}

async function worldOf(seed: number, pieceSizes = [30, 60, 40]): Promise<PointWorld> {
  const world = await PointWorld.make(seed);
  for (const [place, count] of pieceSizes.entries()) {
    world.write(count);
    await world.seal();
    if (place % 3 === 2 || pieceSizes.length < 5) await world.snapshot(world.random.pick(world.pointSeqs.slice(-50)));
  }
  world.write(50);
  await world.open();
  return world;
}

/** All, asked for in parts. */
async function difference(world: PointWorld, volume: number, firstSeq: number, secondSeq: number, rangesMax: number) {
  const ranges: BlockDifference[] = [];
  for (let fromBlock: number | undefined = 0; fromBlock !== undefined; ) {
    const asked: WantedDifference = { firstSeq, secondSeq, fromBlock, rangesMax };
    const found: PointDifference = await world.run(world.points.difference(volume, asked));
    ranges.push(...found.ranges);
    fromBlock = found.nextBlock;
  }
  return ranges;
}

test("of any two points exactly the blocks are told that were written between, whichever is named first", async () => {
  // With many pieces between, trees of snapshots are gone through instead of them.
  const many = new Array<number>(2 * differencePiecesMax).fill(4);
  for (const world of [await worldOf(1), await worldOf(2, many)]) {
    for (let count = 0; count < 15; count++) {
      const seqs = [world.random.pick(world.pointSeqs), world.random.pick(world.pointSeqs)].sort((a, b) => a - b);
      const [early, late] = seqs as [number, number];
      for (let volume = 1; volume <= volumeCount; volume++) {
        if (!world.isPointOf(volume, early)) continue;
        for (const [first, second] of [
          [early, late],
          [late, early],
        ] as const) {
          const all = await wanted(world, volume, [early, late], second);
          const found = told(await difference(world, volume, first, second, world.random.pick([1, 3, 1000])));
          // Neighbouring holes may be told together, also where one of them is older.
          const isTold = new Set(found);
          expect(all.filter((one) => !isTold.has(one))).toEqual([]);
          const isWanted = new Set(all);
          expect(found.filter((one) => !isWanted.has(one) && one.endsWith("false"))).toEqual([]);
        }
      }
    }
  }
});

test("what a cut took is told to who goes back behind it, and nothing beyond the end of what is wanted", async () => {
  for (const isSealed of [false, true]) {
    const world = await PointWorld.make(7);
    world.write(40);
    world.writeUnits([resized(world, volumeBlocks)]);
    const large = world.lastSeq;
    if (isSealed) await world.seal();
    world.writeUnits([resized(world, 5)]);
    if (isSealed) await world.seal();
    if (isSealed) await world.snapshot(world.lastSeq);
    await world.open();
    const small = world.lastSeq;
    expect(await difference(world, 1, small, large, 1000)).toEqual([
      { fromBlock: 5, toBlock: volumeBlocks, isHole: true },
    ]);
    expect(await difference(world, 1, large, small, 1000)).toEqual([]);
  }
});

test("a point differs from itself in nothing, and what is no point is refused with the nearest ones", async () => {
  const world = await worldOf(3);
  expect(await difference(world, 1, world.lastSeq, world.lastSeq, 10)).toEqual([]);
  const beyond = { firstSeq: world.lastSeq, secondSeq: world.lastSeq + 10, fromBlock: 0, rangesMax: 10 };
  await expect(world.run(world.points.difference(1, beyond))).rejects.toThrow(RefuseError);
});
