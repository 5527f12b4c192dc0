/** What is done while applications are at rest, between a command that brings them there and one that takes them up again. */
import { releasePatienceMs } from "#src/core/limits.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { LastWill, runShell } from "#src/host/node/shell-command.ts";
import { inWords } from "#src/host/system-words.ts";

export interface Hooks {
  readonly quiesce: string;
  readonly release: string;
  readonly withinMs: number;
  readonly env: NodeJS.ProcessEnv;
}

export interface RestAct<Result> {
  /** `givenUp`: nobody waits for it any more. */
  readonly act: (leftMs: number, givenUp: AbortSignal) => Promise<Result>;
  /** What came of it, in words. */
  readonly sentence: (result: Result) => string;
}

type Outcome<Result> = { readonly result: Result } | { readonly error: unknown };

/** Kept for the way of the answer. */
const marginMs = 200;
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs the release whatever becomes of the rest, also of this process; where that is not certain nothing is brought to rest.
 * What was asked for at rest and is not answered yet may still be done: who is interrupted then releases when it cannot be any more.
 */
export async function atRest<Result>(hooks: Hooks, { act, sentence }: RestAct<Result>): Promise<Result> {
  const interrupted = new AbortController();
  const unkept = new AbortController();
  const interrupt = (): void => interrupted.abort(new Error("interrupted"));
  for (const signal of signals) process.on(signal, interrupt);
  try {
    const lastWill = await certainRelease(hooks, (why) => unkept.abort(why));
    const outcome = await outcomeAtRest(hooks, {
      lastWill,
      interrupted: interrupted.signal,
      unkept: unkept.signal,
      act,
    });
    const words = "error" in outcome ? inWords(outcome.error) : sentence(outcome.result);
    await released(hooks, lastWill, words);
    if ("error" in outcome) throw outcome.error;
    if (interrupted.signal.aborted) throw new Error(`interrupted: ${words}`);
    return outcome.result;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}

async function certainRelease({ release, env }: Hooks, lost: (why: Error) => void): Promise<LastWill> {
  try {
    return await LastWill.begin(release, env, lost);
  } catch (error) {
    throw new Error(`${inWords(error)}; nothing was brought to rest`, { cause: error });
  }
}

interface Rest<Result> extends Pick<RestAct<Result>, "act"> {
  readonly lastWill: LastWill;
  readonly interrupted: AbortSignal;
  /** Nobody would release any more if this process were killed. */
  readonly unkept: AbortSignal;
}

async function outcomeAtRest<Result>(hooks: Hooks, rest: Rest<Result>): Promise<Outcome<Result>> {
  const { quiesce, withinMs, env } = hooks;
  const { lastWill, interrupted, unkept, act } = rest;
  const endMs = nodeClock.monotonicMs() + withinMs;
  const givenUp = new AbortController();
  let unsaid = "no mark was set";
  try {
    const signal = AbortSignal.any([interrupted, unkept]);
    await runShell(quiesce, { env, timeoutMs: withinMs, signal, lastWill });
    const leftMs = Math.floor(endMs - nodeClock.monotonicMs()) - marginMs;
    if (leftMs <= 0) throw new Error(`coming to rest took all the time there was (--within): ${unsaid}`);
    unsaid = "whether the mark was set is not known, nor whether applications were at rest then";
    const late = `no answer in time (--within): ${unsaid}`;
    return { result: await inTime(act(leftMs, givenUp.signal), leftMs + marginMs, late, unkept) };
  } catch (error) {
    return { error: unkept.aborted ? new Error(`${inWords(unkept.reason)}: ${unsaid}`, { cause: error }) : error };
  } finally {
    givenUp.abort();
  }
}

function inTime<Result>(work: Promise<Result>, timeoutMs: number, late: string, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = nodeClock.timer(timeoutMs, () => reject(new Error(late)));
    const aborted = (): void => reject(signal.reason);
    signal.addEventListener("abort", aborted);
    if (signal.aborted) aborted();
    work.then(resolve, reject).finally(() => timer.cancel());
  });
}

/** Applications that stay at rest are worse than a mark that is missing. */
async function released({ release, env }: Hooks, lastWill: LastWill, before: string): Promise<void> {
  try {
    await runShell(release, { env, timeoutMs: releasePatienceMs });
  } catch (error) {
    throw new Error(`${before}; and applications may still be at rest: ${inWords(error)}`, { cause: error });
  } finally {
    await lastWill.callOff();
  }
}
