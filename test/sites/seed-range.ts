/** Runs consecutive seeds and sums up what happened in them. */
import { faultKinds } from "./faults.ts";
import { mishapKinds } from "./mishaps.ts";
import { removal } from "./removals.ts";
import { resizeKinds } from "./resizes.ts";
import { autoMove, type CountedKind, type FailedRun, type Outcome, runSeed } from "./scenario.ts";
import { storeWorkKinds } from "./store-side.ts";

/** Plain data: it crosses from a worker to whoever asked. */
export interface RangeSummary {
  seeds: number;
  simulatedMs: number;
  requests: number;
  records: number;
  /** Seeds that ended with a site which had stopped itself for a good reason. */
  stopped: number;
  faults: Partial<Record<CountedKind, number>>;
  failures: FailureSummary[];
}

export interface FailureSummary {
  readonly seed: number;
  readonly message: string;
  readonly stack: string;
  /** The last lines of its trace. */
  readonly trace: readonly string[];
}

const kinds = [...faultKinds, ...mishapKinds, ...resizeKinds, removal, ...storeWorkKinds, autoMove];
const traceLinesKept = 400;

export function emptySummary(): RangeSummary {
  return { seeds: 0, simulatedMs: 0, requests: 0, records: 0, stopped: 0, faults: {}, failures: [] };
}

/** Ends early after `failuresMax` seeds that failed. */
export async function runRange(first: number, count: number, failuresMax: number): Promise<RangeSummary> {
  const summary = emptySummary();
  for (let seed = first; seed < first + count && summary.failures.length < failuresMax; seed++) {
    try {
      addOutcome(summary, await runSeed(seed));
    } catch (error) {
      summary.seeds++;
      summary.failures.push(failureOf(error as FailedRun));
    }
  }
  return summary;
}

function addOutcome(summary: RangeSummary, outcome: Outcome): void {
  summary.seeds++;
  summary.simulatedMs += outcome.simulatedMs;
  summary.requests += outcome.requests;
  summary.records += outcome.records;
  if (outcome.isStopped) summary.stopped++;
  for (const [kind, count] of outcome.faults) summary.faults[kind] = (summary.faults[kind] ?? 0) + count;
}

function failureOf(error: FailedRun): FailureSummary {
  const cause = error.cause as Error | undefined;
  return {
    seed: error.seed,
    message: error.message,
    stack: cause?.stack ?? "",
    trace: error.trace.slice(-traceLinesKept),
  };
}

export function addSummary(sum: RangeSummary, part: RangeSummary): void {
  sum.seeds += part.seeds;
  sum.simulatedMs += part.simulatedMs;
  sum.requests += part.requests;
  sum.records += part.records;
  sum.stopped += part.stopped;
  sum.failures.push(...part.failures);
  for (const kind of kinds) {
    const count = part.faults[kind];
    if (count !== undefined) sum.faults[kind] = (sum.faults[kind] ?? 0) + count;
  }
}

export function describeSummary(summary: RangeSummary): string {
  const hours = (summary.simulatedMs / 3_600_000).toFixed(1);
  const faults = kinds.map((kind) => `  ${String(summary.faults[kind] ?? 0).padStart(9)}  ${kind}`);
  return [
    `${summary.seeds} seeds, ${hours} simulated hours, ${summary.requests} requests, ${summary.records} records, ` +
      `${summary.stopped} ended with a site that had stopped itself for a good reason`,
    "faults injected:",
    ...faults,
  ].join("\n");
}

export function describeFailure(failure: FailureSummary): string {
  return [
    `${failure.message}`,
    failure.stack,
    "the end of its trace:",
    ...failure.trace.map((line) => `  ${line}`),
    `replay it with: npm run sim -- --seed ${failure.seed} --trace`,
  ].join("\n");
}
