/** `npm run bench -- control`: what looking costs, and whether one can look while there is trouble. */
import { mkdirSync } from "node:fs";
import type { Bench } from "./bench.ts";
import type { KnownMean } from "./confidence.ts";
import { controlHelp, controlOptions, neededBytes } from "./control-options.ts";
import { measureScrapes, type ScrapeCost } from "./control-scrapes.ts";
import { measureStalled, type StalledFigures } from "./control-stalled.ts";
import type { Looks } from "./control-watcher.ts";
import { describeCommand, describeCommit, describeMachine, type Machine } from "./machine.ts";
import { table, wrapped } from "./markdown.ts";
import { requireRoom } from "./place.ts";
import { createProgress } from "./progress.ts";
import { provenance } from "./provenance.ts";
import { publishFigures } from "./publication.ts";
import { round, roundUp } from "./rounding.ts";
import { median } from "./rounds.ts";

export interface ControlResults {
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly secondsPerRound: number;
  readonly scrapes?: ScrapeCost;
  readonly stalled?: StalledFigures;
}

const costPercentMax = 1;
const p99MsMax = 100;
/** How much fewer scatter is not known. */
const turnsMin = 10;

export const controlBench: Bench = {
  name: "control",
  summary: "what a scrape each second costs, and how long answers take while a disk stands still",
  help: controlHelp,
  run: runControl,
  format: (json) => formatControl(JSON.parse(json) as ControlResults),
};

async function runControl(programArguments: readonly string[]): Promise<void> {
  const options = controlOptions(programArguments);
  mkdirSync(options.folder, { recursive: true });
  await requireRoom(options.folder, neededBytes(options), "fewer --seconds, or another --folder");
  const progress = createProgress(process.stderr);
  const show = (what: string) => progress.show(what);
  const scrapes = options.cases.includes("scrapes") ? await measureScrapes(options, show) : undefined;
  const stalled = options.cases.includes("stalled-disk") ? await measureStalled(options, show) : undefined;
  progress.clear();
  const results: ControlResults = {
    date: new Date().toISOString(),
    commit: await describeCommit(),
    command: describeCommand("control", programArguments),
    machine: await describeMachine(["fio", "nbdkit"]),
    ...{ rounds: options.rounds, secondsPerRound: options.seconds },
    ...(scrapes === undefined ? {} : { scrapes }),
    ...(stalled === undefined ? {} : { stalled }),
  };
  process.stdout.write(`${formatControl(results)}\n`);
  if (options.isPublished) await publishFigures(controlBench, results);
}

export function formatControl(results: ControlResults): string {
  const { scrapes, stalled } = results;
  const parts = [
    ...(scrapes === undefined ? [] : [scrapesText(scrapes, results.machine.processorCount)]),
    ...(stalled === undefined ? [] : [stalledText(stalled)]),
    provenance(results),
  ];
  return parts.join("\n\n");
}

function scrapesText({ alone, scraped, costPercent, looks, processorMs }: ScrapeCost, processorCount: number): string {
  const busyPercent = processorMs / processorCount / 10;
  const rates = `${round(median(alone), 0)} writes a second alone, ${round(median(scraped), 0)} with a scrape each second`;
  const [mean, from, to] = [costPercent.mean, costPercent.from, costPercent.to].map((one) => round(one, 2));
  return wrapped(
    `4 KiB random writes at depth 32: ${rates}, medians of ${alone.length} seconds each, in turn (A B B A). That costs ${mean} ` +
      `(${from} to ${to}) %; at most ${costPercentMax} % is the goal: ${verdictOn(costPercent)}. A scrape took ` +
      `${round(looks.p50Ms, 1)} ms, ${roundUp(looks.highestMs, 1)} ms at most, and ${roundUp(processorMs, 1)} ms of a processor, ` +
      `all threads together, which is ${roundUp(busyPercent, 2)} % of what this machine has of processors in a second: by that the goal ` +
      `is ${busyPercent <= costPercentMax ? "met" : "**missed**"}.`,
  );
}

/** Where the goal lies within what they scatter by, the seconds do not tell. */
function verdictOn({ count, from, to }: KnownMean): string {
  if (count >= turnsMin && to <= costPercentMax) return "met";
  return count >= turnsMin && from > costPercentMax ? "**missed**" : "**not told** by so few seconds";
}

function stalledText({ healthz, metrics, iops }: StalledFigures): string {
  const row = (name: string, { count, p50Ms, p99Ms, highestMs }: Looks): string[] => {
    const verdict = p99Ms <= p99MsMax ? "met" : "**missed**";
    const goal = `≤ ${p99MsMax} ms ${verdict}`;
    return [name, String(count), ...[p50Ms, p99Ms, highestMs].map((one) => `${roundUp(one, 1)} ms`), goal];
  };
  const words =
    "One volume's disk, an NBD server, answers no write any more, and another volume is at full load meanwhile: " +
    `${round(iops, 0)} random writes of 4 KiB a second at depth 32.`;
  const rows = [row("/healthz", healthz), row("/metrics", metrics)];
  return `${wrapped(words)}\n\n${table(["asked for", "times", "p50", "p99", "at most", "goal for p99"], rows)}`;
}
