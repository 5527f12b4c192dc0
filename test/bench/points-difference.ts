/** How long it takes to tell where two points of a large volume differ, by what says it. */
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { BenchHistory, type BenchWrite, benchVolume } from "./points-history.ts";
import type { PointsOptions } from "./points-options.ts";
import type { DifferenceFigures } from "./points-results.ts";
import { median } from "./rounds.ts";
import { createScratch } from "./scratch.ts";

/** Of 1 TiB. */
const volumeBlocks = 2 ** 28;
/** So many for each change: a snapshot makes one tree of both then, in which changes lie among all the rest. */
const basePerChange = 7;

export async function measureDifference(
  { changeCount, rounds, folder }: PointsOptions,
  show: (what: string) => void,
): Promise<DifferenceFigures> {
  using scratch = createScratch(folder);
  const random = new SeededRandom(13);
  const writes = (count: number) => randomWrites(count, random);
  show("difference: what was there");
  const bench = await BenchHistory.begin(scratch.path, volumeBlocks);
  await bench.write(writes(basePerChange * changeCount));
  await bench.snapshot(false);
  const firstSeq = bench.lastSeq;
  await bench.write(writes(changeCount));
  const snapshot = await bench.snapshot(false);
  const wanted = { firstSeq, secondSeq: bench.lastSeq, fromBlock: 0, rangesMax: 2 * changeCount };
  const [byPieces, byTrees]: [number[], number[]] = [[], []];
  let rangeCount = 0;
  for (let round = 0; round <= rounds; round++) {
    show(`difference: round ${round} of ${rounds}`);
    // Each time as a process has them that has just begun.
    const points = await bench.points();
    const piecesSeconds = await secondsOf(async () => {
      rangeCount = (await points.difference(benchVolume, wanted)).ranges.length;
    });
    const treesSeconds = await secondsOf(async () => {
      let extentCount = 0;
      for await (const page of snapshot.changes(benchVolume, firstSeq)) extentCount += page.length;
      if (extentCount < rangeCount) throw new Error(`${extentCount} extents of the trees for ${rangeCount} ranges`);
    });
    points.close();
    if (round === 0) continue;
    byPieces.push(piecesSeconds);
    byTrees.push(treesSeconds);
  }
  await bench.close();
  return { changeCount, rangeCount, piecesSeconds: rounded(byPieces), treesSeconds: rounded(byTrees) };
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

function* randomWrites(count: number, random: SeededRandom): Generator<BenchWrite> {
  for (let index = 0; index < count; index++) yield { startBlock: random.integerBelow(volumeBlocks), blockCount: 1 };
}

function rounded(seconds: readonly number[]): number {
  return Number(median(seconds).toPrecision(3));
}
