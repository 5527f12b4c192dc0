/** A job from its beginning to its end, as whoever asked for it sees it: a moving line on a terminal, nothing in a pipe. */
import type { JobReport } from "#src/control/job.ts";
import { roundedByteSize } from "#src/core/byte-size.ts";
import { jobFollowMsMax, jobFollowMsMin } from "#src/core/store-limits.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import type { ApiClient } from "./api-client.ts";
import { endingSignal } from "./ending-signal.ts";
import { durationText, progressLine } from "./progress-line.ts";

export interface Following {
  readonly api: ApiClient;
  readonly asJson: boolean;
  /** Or only told that it is begun. */
  readonly isAwaited: boolean;
}

/** Answers the exit status: 0 only where it is done, or begun, and nothing was found that a person must see. */
export async function followJob(begun: JobReport, { api, asJson, isAwaited }: Following): Promise<number> {
  if (!isAwaited) {
    process.stdout.write(asJson ? `${JSON.stringify(begun)}\n` : `${begunText(begun)}\n`);
    return 0;
  }
  const job = await endOfJob(begun, api);
  if (job === undefined) {
    process.stderr.write(`tidemark: ${begunText(begun)}; 'tidemark job cancel ${begun.id}' ends it\n`);
    return 1;
  }
  process.stdout.write(asJson ? `${JSON.stringify(job)}\n` : endedText(job));
  return job.state === "done" && job.result?.isSound === true ? 0 : 1;
}

export function begunText({ id }: JobReport): string {
  return `job ${id} goes on by itself; 'tidemark job show ${id}' tells how far it is`;
}

/** Undefined: whoever waits does so no longer. */
export async function endOfJob(begun: JobReport, api: ApiClient): Promise<JobReport | undefined> {
  let isLeft = false;
  const signal = endingSignal().then(() => {
    isLeft = true;
  });
  let job = begun;
  let pauseMs = jobFollowMsMin;
  while (job.state === "waiting" || job.state === "running") {
    show(job);
    const { promise, resolve } = Promise.withResolvers<void>();
    // What takes no time is not waited for long.
    const timer = nodeClock.timer(pauseMs, resolve);
    pauseMs = Math.min(2 * pauseMs, jobFollowMsMax);
    await Promise.race([promise, signal]);
    timer.cancel();
    if (isLeft) break;
    job = (await api.ask("GET", ["jobs", String(job.id)])) as JobReport;
  }
  clear();
  return isLeft ? undefined : job;
}

const clearLine = "\r\x1b[K";

function show({ state, why, progress }: JobReport): void {
  if (!process.stderr.isTTY) return;
  const columns = process.stderr.columns ?? 80;
  const waits = why === undefined ? "waits for its turn" : `waits: ${why}`;
  const line = state === "waiting" ? waits.slice(0, columns - 1) : "begins";
  process.stderr.write(`${clearLine}${progress === undefined ? line : progressLine(progress, columns)}`);
}

function clear(): void {
  if (process.stderr.isTTY) process.stderr.write(clearLine);
}

/** What came of it, for people. */
export function endedText({ id, kind, state, why, result, started, ended: end }: JobReport): string {
  const seconds =
    started === undefined || end === undefined ? undefined : (Date.parse(end) - Date.parse(started)) / 1000;
  const took = seconds === undefined ? "" : ` after ${durationText(seconds)}`;
  const lines = [`job ${id} (${kind}) is ${state}${took}${why === undefined ? "" : `: ${why}`}`];
  for (const [name, value] of Object.entries(result?.figures ?? {})) lines.push(`  ${figureText(name, value)}`);
  for (const line of result?.lines ?? []) lines.push(`  ${line}`);
  return `${lines.join("\n")}\n`;
}

/** `freedBytes` is a size, `keptBlocks` a number. */
function figureText(name: string, value: number | null): string {
  const isSize = name.endsWith("Bytes");
  const words = (isSize ? name.slice(0, -"Bytes".length) : name).replace(
    /[A-Z]/g,
    (letter) => ` ${letter.toLowerCase()}`,
  );
  if (value === null) return `${words}: not known yet`;
  return `${words}: ${isSize ? roundedByteSize(value) : value}`;
}
