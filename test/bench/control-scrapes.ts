/**
 * What a scrape each second takes from a volume at full load. The rate of a busy machine drifts by far more than a scrape costs, so
 * seconds with and without one follow each other closely, as A B B A, while one and the same load goes on; and it is told how well
 * what comes of that is known.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { StatusReport } from "#src/control/control-plane.ts";
import { assert } from "#src/core/assert.ts";
import { type KnownMean, knownMean } from "./confidence.ts";
import { loadFor } from "./control-load.ts";
import { type ControlOptions, rampSeconds, turnSeconds } from "./control-options.ts";
import { type Looks, lookAt, looksOf } from "./control-watcher.ts";
import { createScratch } from "./scratch.ts";
import { type RunningTidemark, startTidemark } from "./tidemark.ts";
import { ask } from "./tidemark-api.ts";

const MiB = 1024 * 1024;
/** What Prometheus does by itself is ten to sixty times rarer. */
const secondMs = 1000;
const turn = [false, true, true, false] as const;
assert(turn.length === turnSeconds, "a turn is as long as the command line takes it for");
const countedScrapes = 200;

export interface ScrapeCost {
  /** Writes a second, of each second. */
  readonly alone: readonly number[];
  readonly scraped: readonly number[];
  /** What is lost of the rate, in percent; below zero where the machine was quicker with scrapes. */
  readonly costPercent: KnownMean;
  readonly looks: Looks;
  /** That the program takes for one, with all of its threads: what is left of the figures above when the machine is at rest. */
  readonly processorMs: number;
}

interface Second {
  readonly isScraped: boolean;
  readonly rate: number;
}

export async function measureScrapes(options: ControlOptions, show: (what: string) => void): Promise<ScrapeCost> {
  const seconds: Second[] = [];
  const tookMs: number[] = [];
  const processorMs: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    show(`scrapes: round ${round + 1} of ${options.rounds}`);
    // Of its own, since journals keep everything that was ever written.
    using scratch = createScratch(options.folder);
    const sizeBytes = options.sizeMebibytes * MiB;
    await using tidemark = await startTidemark({
      ...{ dataFolder: scratch.file("data"), sockets: scratch, mode: "async", processes: "one" },
      volumes: [{ name: "disk", source: scratch.file("source"), sizeBytes }],
    });
    await scrape(tidemark);
    const turns = Math.floor(options.seconds / turnSeconds);
    // It outlasts the last of them.
    const loadSeconds = rampSeconds + turns * turnSeconds + 2;
    const load = loadFor(tidemark, "disk", { ...options, seconds: loadSeconds }, { seed: round, scratch });
    const [found] = await Promise.all([secondsOf(tidemark, turns, tookMs), load]);
    seconds.push(...found);
    await tidemark.settle();
    processorMs.push(await processorMsOf(tidemark));
  }
  const rates = (isScraped: boolean) => seconds.filter((one) => one.isScraped === isScraped).map(({ rate }) => rate);
  return {
    ...{ alone: rates(false), scraped: rates(true), costPercent: costOf(seconds), looks: looksOf(tookMs) },
    processorMs: Math.max(...processorMs),
  };
}

/** Of each turn for itself, so that what drifts from turn to turn is in none of them. */
export function costOf(seconds: readonly Second[]): KnownMean {
  const costs: number[] = [];
  for (let from = 0; from + turn.length <= seconds.length; from += turn.length) {
    const [first, second, third, fourth] = seconds.slice(from, from + turn.length) as [Second, Second, Second, Second];
    costs.push((1 - (second.rate + third.rate) / (first.rate + fourth.rate)) * 100);
  }
  return knownMean(costs);
}

async function secondsOf(tidemark: RunningTidemark, turns: number, tookMs: number[]): Promise<Second[]> {
  await wait(rampSeconds * secondMs);
  const seconds: Second[] = [];
  let before = await written(tidemark);
  for (const isScraped of Array.from({ length: turns }).flatMap(() => turn)) {
    if (isScraped) tookMs.push(await scrape(tidemark));
    await wait(Math.max(0, before.atMs + secondMs - performance.now()));
    const after = await written(tidemark);
    seconds.push({ isScraped, rate: ((after.count - before.count) / (after.atMs - before.atMs)) * 1000 });
    before = after;
  }
  if (seconds.some(({ rate }) => rate === 0)) throw new Error("the load stood still, or ended before its time");
  return seconds;
}

/** Counters are shared by all threads: they are of the moment at which they are told, however busy the others are. */
async function written(tidemark: RunningTidemark): Promise<{ readonly atMs: number; readonly count: number }> {
  const { counters } = await ask<StatusReport>(`${tidemark.api}/api/v1/status`);
  return { atMs: performance.now(), count: counters.writes_total ?? 0 };
}

/** Answers how long it took. */
async function scrape(tidemark: RunningTidemark): Promise<number> {
  const beganMs = performance.now();
  await lookAt(`${tidemark.api}/metrics`);
  return performance.now() - beganMs;
}

/** Many in a row, since the kernel counts in hundredths of a second. */
async function processorMsOf(tidemark: RunningTidemark): Promise<number> {
  const { cpuSeconds: before } = await tidemark.usage();
  for (let count = 0; count < countedScrapes; count++) await scrape(tidemark);
  const { cpuSeconds: after } = await tidemark.usage();
  return ((after - before) / countedScrapes) * 1000;
}
