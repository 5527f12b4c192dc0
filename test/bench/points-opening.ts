/** How long it takes to open points of a long journal, and to tell where two of them differ. */
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { BenchHistory, type BenchWrite, benchVolume } from "./points-history.ts";
import { openPoints, rounded, spreadOf } from "./points-openings.ts";
import type { PointsOptions } from "./points-options.ts";
import type { OpeningFigures } from "./points-results.ts";
import { createScratch } from "./scratch.ts";

const volumeBlocks = 2 ** 28;
/** As the remote appliance makes them by itself. */
const recordsPerSnapshot = 2 ** 18;

export async function measureOpening(options: PointsOptions, show: (what: string) => void): Promise<OpeningFigures> {
  const { recordCount, pointCount, changeCount, folder } = options;
  using scratch = createScratch(folder);
  const random = new SeededRandom(9);
  const bench = await BenchHistory.begin(scratch.path, volumeBlocks);
  for (let written = 0; written < recordCount; written += recordsPerSnapshot) {
    show(`a journal of ${recordCount} records: ${written}`);
    await bench.write(randomWrites(Math.min(recordsPerSnapshot, recordCount - written), random));
    await bench.snapshot(false);
  }
  show(`opens ${pointCount} points`);
  const order = { isSealed: true, folder: scratch.path, lastSeq: bench.lastSeq, pointCount, volumeBlocks };
  const opened = await openPoints(order);
  show("what differs");
  const wanted = { firstSeq: bench.lastSeq - changeCount, secondSeq: bench.lastSeq, fromBlock: 0 };
  const points = await bench.points();
  (await points.open(benchVolume, bench.lastSeq)).close();
  const began = performance.now();
  const { ranges } = await points.difference(benchVolume, { ...wanted, rangesMax: 2 * changeCount });
  const differenceSeconds = (performance.now() - began) / 1000;
  await bench.close();
  return {
    ...{ recordCount, pointCount, ...spreadOf(opened), grownMebibytes: opened.grownMebibytes },
    differenceSeconds: rounded(differenceSeconds),
    differenceRanges: ranges.length,
  };
}

function* randomWrites(count: number, random: SeededRandom): Generator<BenchWrite> {
  for (let index = 0; index < count; index++) yield { startBlock: random.integerBelow(volumeBlocks), blockCount: 1 };
}
