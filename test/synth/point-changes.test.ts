import { expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { differencePiecesMax } from "#src/core/restore-limits.ts";
import { addressOf } from "#src/records/address.ts";
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
  const nothing = { startBlock: 0, blockCount: 0, address: 0 };
  const bytes = encodeExtra({ sizeBytes: blockCount * blockBytes });
  return next(world, { type: recordType.resize, ...nothing }, bytes);
}

function blocksOf(world: PointWorld, type: number, startBlock: number, blockCount: number): Unit {
  const address = type === recordType.write ? addressOf(99, 1) : 0;
  return next(world, { type, startBlock, blockCount, address });
}

type Body = Pick<PlainRecord, "type" | "startBlock" | "blockCount" | "address">;

/** Of volume 1, behind all others. */
function next(world: PointWorld, body: Body, bytes: Buffer = Buffer.alloc(0)): Unit {
  const { timeMicros, epoch, seq } = world.records.at(-1) as PlainRecord;
  const place = { volume: 1, seq: seq + 1, timeMicros, epoch, ordinal: 0, level: 0 };
  const records = [{ ...body, ...place, extraBytes: bytes.length, extraAt: 0 }];
  return { firstSeq: seq + 1, isAggregate: false, records, bytes };
}

/** Most of its snapshots lie within pieces. */
async function worldOf(seed: number, pieceSizes = [30, 60, 40]): Promise<MadeWorld> {
  const world = await PointWorld.make(seed);
  const snapshotSeqs: number[] = [];
  for (const [place, count] of pieceSizes.entries()) {
    world.write(count);
    await world.seal();
    if (place % 3 !== 2 && pieceSizes.length >= 5) continue;
    const { seq } = await world.snapshot(world.random.pick(world.pointSeqs.slice(-50)));
    snapshotSeqs.push(seq);
  }
  world.write(50);
  await world.open();
  return { world, snapshotSeqs };
}

interface MadeWorld {
  readonly world: PointWorld;
  readonly snapshotSeqs: readonly number[];
}

/** The earlier one first: any two; a snapshot and any other; and snapshots. */
function pairsOf({ world: { random, pointSeqs }, snapshotSeqs }: MadeWorld): (readonly [number, number])[] {
  const pairs = Array.from({ length: 10 }, () => [random.pick(pointSeqs), random.pick(pointSeqs)]);
  for (const [place, seq] of snapshotSeqs.slice(0, 3).entries()) {
    pairs.push([seq, random.pick(pointSeqs)]);
    // Close before it, so that pieces are gone through, and not its trees.
    pairs.push([seq, random.pick(pointSeqs.filter((one) => one <= seq).slice(-80))]);
    if (place > 0) pairs.push([snapshotSeqs[place - 1] as number, seq]);
  }
  return pairs.map((pair) => pair.sort((a, b) => a - b) as [number, number]);
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
  for (const made of [await worldOf(1), await worldOf(2, many)]) {
    const { world } = made;
    for (const [early, late] of pairsOf(made)) {
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

test("what was trimmed or cut behind a snapshot in its piece is not told of it", async () => {
  const world = await PointWorld.make(8);
  world.write(20);
  world.writeUnits([resized(world, volumeBlocks)]);
  const early = world.lastSeq;
  await world.seal();
  world.writeUnits([blocksOf(world, recordType.write, 3, 2)]);
  const { seq } = world.records.at(-1) as PlainRecord;
  world.writeUnits([blocksOf(world, recordType.trim, 0, volumeBlocks / 2)]);
  world.writeUnits([resized(world, 5)]);
  await world.seal();
  await world.snapshot(seq);
  await world.open();
  expect(await difference(world, 1, early, seq, 1000)).toEqual([{ fromBlock: 3, toBlock: 5, isHole: false }]);
});

test("a point differs from itself in nothing, and what is no point is refused with the nearest ones", async () => {
  const { world } = await worldOf(3);
  expect(await difference(world, 1, world.lastSeq, world.lastSeq, 10)).toEqual([]);
  const beyond = { firstSeq: world.lastSeq, secondSeq: world.lastSeq + 10, fromBlock: 0, rangesMax: 10 };
  await expect(world.run(world.points.difference(1, beyond))).rejects.toThrow(RefuseError);
});
