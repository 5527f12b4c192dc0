/** How long it takes to open points of a long journal, and to tell where two of them differ. */
import { ImageRuns } from "#src/synth/image-runs.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { BenchHistory, type BenchWrite, benchVolume } from "./points-history.ts";
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
  const points = await bench.points();
  const residentBytes = process.memoryUsage.rss();
  const seconds: number[] = [];
  const runs = new ImageRuns();
  for (let count = 0; count < pointCount; count++) {
    if (count % 50 === 0) show(`opens points: ${count} of ${pointCount}`);
    const seq = 2 + random.integerBelow(bench.lastSeq - 2);
    const began = performance.now();
    const image = await points.open(benchVolume, seq);
    await image.runsIn(random.integerBelow(volumeBlocks - 1), 1, runs);
    seconds.push((performance.now() - began) / 1000);
    image.close();
  }
  const grownBytes = process.memoryUsage.rss() - residentBytes;
  show("what differs");
  const wanted = { firstSeq: bench.lastSeq - changeCount, secondSeq: bench.lastSeq, fromBlock: 0 };
  const began = performance.now();
  const { ranges } = await points.difference(benchVolume, { ...wanted, rangesMax: 2 * changeCount });
  const differenceSeconds = (performance.now() - began) / 1000;
  await bench.close();
  seconds.sort((a, b) => a - b);
  const at = (share: number) => rounded(seconds[Math.floor(share * (seconds.length - 1))] as number);
  return {
    ...{ recordCount, pointCount, medianSeconds: at(0.5), p99Seconds: at(0.99), highestSeconds: at(1) },
    grownMebibytes: Math.round(grownBytes / 2 ** 20),
    differenceSeconds: rounded(differenceSeconds),
    differenceRanges: ranges.length,
  };
}

function* randomWrites(count: number, random: SeededRandom): Generator<BenchWrite> {
  for (let index = 0; index < count; index++) yield { startBlock: random.integerBelow(volumeBlocks), blockCount: 1 };
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
