/** What it takes to synthesize a snapshot, by the volume and by what was changed. */
import { mkdirSync } from "node:fs";
import type { Snapshot } from "#src/synth/snapshot.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { BenchHistory, type BenchWrite } from "./points-history.ts";
import type { PointsOptions } from "./points-options.ts";
import type { SynthesisFigures, SynthesisGoals } from "./points-results.ts";
import { interleave, median, ratioOf } from "./rounds.ts";
import { createScratch } from "./scratch.ts";

const GiBBlocks = 2 ** 18;
const TiBBlocks = 2 ** 28;
/** For 100,000 changes of one block each. */
const secondsMax = 0.5;
const bytesPercentMax = 15;
/** Now and then a round merges layers too: few rounds may have many of these, or none. */
const roundsFactor = 4;
/** Of the seconds on one volume and on another, which differ in nothing but their sizes. */
const factorMax = 1.5;

interface SynthesisCase {
  readonly name: string;
  readonly volumeBlocks: number;
  /** Written before, in an order of chance. */
  readonly base: () => Iterable<BenchWrite>;
  readonly changes: () => Iterable<BenchWrite>;
  /** Not somebody waits for them: what is left to others is done too. */
  readonly isHurried: boolean;
  readonly goals: SynthesisGoals;
}

interface SynthesisRound {
  readonly seconds: number;
  readonly sizeBytes: number;
  readonly layers: number;
}

/** Rounds follow each other, as snapshots do. */
export async function measureSynthesis(options: PointsOptions, show: (what: string) => void) {
  const figures: SynthesisFigures[] = [];
  for (const cases of casesOf(options)) figures.push(...(await measuredInTurn(cases, options, show)));
  return figures;
}

/** Those that are compared with the first one have turns with it, so that the machine's other work hits all of them alike. */
async function measuredInTurn(
  cases: readonly SynthesisCase[],
  { rounds, changeCount, folder }: PointsOptions,
  show: (what: string) => void,
): Promise<SynthesisFigures[]> {
  using scratch = createScratch(folder);
  const prepared = new Map<SynthesisCase, { readonly bench: BenchHistory; readonly first: Snapshot }>();
  for (const [index, one] of cases.entries()) {
    show(`${one.name}: what was there`);
    mkdirSync(scratch.file(String(index)));
    const bench = await BenchHistory.begin(scratch.file(String(index)), one.volumeBlocks);
    await bench.write(one.base());
    prepared.set(one, { bench, first: await bench.snapshot(false) });
  }
  const benchOf = (one: SynthesisCase) => prepared.get(one) as { bench: BenchHistory; first: Snapshot };
  const roundCount = rounds * roundsFactor;
  const series = await interleave(cases, { rounds: roundCount, warmUpRounds: 1 }, async (one, round) => {
    show(`${one.name}: round ${round} of ${roundCount}`);
    return measuredOnce(benchOf(one).bench, one);
  });
  for (const one of cases) await benchOf(one).bench.close();
  const roundsOf = (one: SynthesisCase) => series.get(one) ?? [];
  const [against] = cases as readonly [SynthesisCase];
  const secondsAgainst = roundsOf(against).map(({ seconds }) => seconds);
  return cases.map((one) => {
    const figures = figuresOf(one, changeCount, benchOf(one).first, roundsOf(one));
    if (one === against) return figures;
    const ratio = ratioOf(
      roundsOf(one).map(({ seconds }) => seconds),
      secondsAgainst,
    );
    return { ...figures, beside: { name: against.name, ...ratio } };
  });
}

async function measuredOnce(bench: BenchHistory, { changes, isHurried }: SynthesisCase): Promise<SynthesisRound> {
  await bench.write(changes());
  const began = performance.now();
  const snapshot = await bench.snapshot(isHurried);
  const seconds = (performance.now() - began) / 1000;
  return { seconds, sizeBytes: snapshot.sizeBytes, layers: snapshot.volume(1)?.layers.length ?? 0 };
}

function figuresOf(
  { name, goals }: SynthesisCase,
  changeCount: number,
  first: Snapshot,
  rounds: readonly SynthesisRound[],
): SynthesisFigures {
  const seconds = rounds.map((one) => one.seconds);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    name,
    changeCount,
    baseExtents: first.numbers.journalPointers,
    baseBytes: first.sizeBytes,
    medianSeconds: rounded(median(seconds)),
    lowestSeconds: rounded(Math.min(...seconds)),
    highestSeconds: rounded(Math.max(...seconds)),
    meanSeconds: rounded(mean(seconds)),
    bytesPerChange: rounded(mean(rounds.map(({ sizeBytes }) => sizeBytes)) / changeCount),
    layers: rounds.at(-1)?.layers ?? 0,
    goals,
  };
}

/** The cases of one list have turns with each other, and the first is what the others are beside. */
function casesOf({ denseGibibytes, changeCount }: PointsOptions): SynthesisCase[][] {
  const dense = denseGibibytes * GiBBlocks;
  const random = new SeededRandom(7);
  const single = (belowBlock: number) => () =>
    generated(changeCount, () => ({ startBlock: random.integerBelow(belowBlock), blockCount: 1 }));
  const inFirst = single(GiBBlocks);
  const runs = () =>
    generated(changeCount, () => ({ startBlock: 256 * random.integerBelow(dense / 256), blockCount: 256 }));
  let at = 0;
  const inARow = () => generated(changeCount, () => ({ startBlock: at++ % dense, blockCount: 1 }));
  const full = { volumeBlocks: dense, base: () => shuffled(dense, random), goals: {}, isHurried: true };
  const whole = `${denseGibibytes} GiB, full, in disorder`;
  const gibibyte = { volumeBlocks: GiBBlocks, base: () => shuffled(GiBBlocks, random) };
  const large = (volumeBlocks: number) => ({ volumeBlocks, base: () => withFullFirst(dense, volumeBlocks, random) });
  const beside = { changes: inFirst, isHurried: true, goals: { factor: factorMax } };
  const tebibyte = { ...large(TiBBlocks), isHurried: true };
  const all = { changes: single(dense), goals: { bytesPercent: bytesPercentMax } };
  return [
    [
      { name: "1 GiB", ...gibibyte, changes: inFirst, isHurried: true, goals: {} },
      { name: "1 TiB, in its first GiB", ...tebibyte, changes: inFirst, goals: { seconds: secondsMax } },
      { name: "16 TiB, in its first GiB", ...large(16 * TiBBlocks), ...beside },
    ],
    [
      {
        ...{ name: "1 TiB, all over", ...tebibyte, changes: single(TiBBlocks) },
        goals: { seconds: secondsMax, bytesPercent: bytesPercentMax },
      },
    ],
    [{ name: `${whole}; changes in its first GiB`, ...full, changes: inFirst }],
    [{ name: `${whole}; changes all over`, ...full, ...all }],
    [{ name: `${whole}; by itself, with what others left`, ...full, ...all, isHurried: false }],
    [{ name: `${whole}; changes of 1 MiB`, ...full, changes: runs }],
    [{ name: `${whole}; changes in a row`, ...full, changes: inARow }],
  ];
}

/** As many as the dense volume has: the first GiB is full, whatever the size, and the rest lies all over. */
function* withFullFirst(count: number, volumeBlocks: number, random: SeededRandom): Generator<BenchWrite> {
  yield* shuffled(GiBBlocks, random);
  const startBlock = () => GiBBlocks + random.integerBelow(volumeBlocks - GiBBlocks);
  yield* generated(count - GiBBlocks, () => ({ startBlock: startBlock(), blockCount: 1 }));
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
