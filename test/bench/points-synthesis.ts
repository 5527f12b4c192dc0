/** What it takes to synthesize a snapshot, by the volume and by what was changed. */
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { BenchHistory, type BenchWrite } from "./points-history.ts";
import type { PointsOptions } from "./points-options.ts";
import type { SynthesisFigures } from "./points-results.ts";
import { median } from "./rounds.ts";
import { createScratch } from "./scratch.ts";

const GiBBlocks = 2 ** 18;

interface SynthesisCase {
  readonly name: string;
  readonly volumeBlocks: number;
  /** Written before, in an order of chance. */
  readonly base: () => Iterable<BenchWrite>;
  readonly changes: () => Iterable<BenchWrite>;
  /** Not somebody waits for them: what is left to others is done too. */
  readonly isHurried: boolean;
}

/** Rounds follow each other, as snapshots do. */
export async function measureSynthesis(options: PointsOptions, show: (what: string) => void) {
  const figures: SynthesisFigures[] = [];
  for (const one of casesOf(options)) figures.push(await measured(one, options, show));
  return figures;
}

async function measured(
  { name, volumeBlocks, base, changes, isHurried }: SynthesisCase,
  { rounds, changeCount, folder }: PointsOptions,
  show: (what: string) => void,
): Promise<SynthesisFigures> {
  using scratch = createScratch(folder);
  show(`${name}: what was there`);
  const bench = await BenchHistory.begin(scratch.path, volumeBlocks);
  await bench.write(base());
  const first = await bench.snapshot(false);
  const seconds: number[] = [];
  const sizes: number[] = [];
  let layers = 0;
  for (let round = 0; round <= rounds; round++) {
    show(`${name}: round ${round} of ${rounds}`);
    await bench.write(changes());
    const began = performance.now();
    const snapshot = await bench.snapshot(isHurried);
    layers = snapshot.volume(1)?.layers.length ?? 0;
    if (round === 0) continue;
    seconds.push((performance.now() - began) / 1000);
    sizes.push(snapshot.sizeBytes);
  }
  await bench.close();
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    name,
    changeCount,
    baseExtents: first.numbers.journalPointers,
    baseBytes: first.sizeBytes,
    medianSeconds: rounded(median(seconds)),
    highestSeconds: rounded(Math.max(...seconds)),
    meanSeconds: rounded(mean(seconds)),
    bytesPerChange: rounded(mean(sizes) / changeCount),
    layers,
  };
}

function casesOf({ denseGibibytes, changeCount }: PointsOptions): SynthesisCase[] {
  const dense = denseGibibytes * GiBBlocks;
  const sixteenTebibytes = 2 ** 32;
  const random = new SeededRandom(7);
  const single = (belowBlock: number) => () =>
    generated(changeCount, () => ({ startBlock: random.integerBelow(belowBlock), blockCount: 1 }));
  const inFirst = single(GiBBlocks);
  const runs = () =>
    generated(changeCount, () => ({ startBlock: 256 * random.integerBelow(dense / 256), blockCount: 256 }));
  let at = 0;
  const inARow = () => generated(changeCount, () => ({ startBlock: at++ % dense, blockCount: 1 }));
  const full = { volumeBlocks: dense, base: () => shuffled(dense, random) };
  const whole = `${denseGibibytes} GiB, full, in disorder`;
  return [
    {
      name: "1 GiB, full, in disorder",
      volumeBlocks: GiBBlocks,
      base: () => shuffled(GiBBlocks, random),
      changes: inFirst,
      isHurried: true,
    },
    { name: `${whole}; changes in its first GiB`, ...full, changes: inFirst, isHurried: true },
    {
      name: `16 TiB, as many blocks all over; changes in its first GiB`,
      volumeBlocks: sixteenTebibytes,
      base: () => generated(dense, () => ({ startBlock: random.integerBelow(sixteenTebibytes), blockCount: 1 })),
      changes: inFirst,
      isHurried: true,
    },
    { name: `${whole}; changes all over`, ...full, changes: single(dense), isHurried: true },
    { name: `${whole}; by itself, with what others left`, ...full, changes: single(dense), isHurried: false },
    { name: `${whole}; changes of 1 MiB`, ...full, changes: runs, isHurried: true },
    { name: `${whole}; changes in a row`, ...full, changes: inARow, isHurried: true },
  ];
}

function* generated(count: number, one: () => BenchWrite): Generator<BenchWrite> {
  for (let index = 0; index < count; index++) yield one();
}

function* shuffled(count: number, random: SeededRandom): Generator<BenchWrite> {
  const blocks = Uint32Array.from({ length: count }, (_, block) => block);
  for (let index = count - 1; index >= 0; index--) {
    const other = random.integerBelow(index + 1);
    const startBlock = blocks[other] as number;
    blocks[other] = blocks[index] as number;
    yield { startBlock, blockCount: 1 };
  }
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
