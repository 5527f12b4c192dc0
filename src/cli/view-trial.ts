/**
 * A command that is run on a view of its own: the view is opened for it, writable, and thrown away behind it. It is held only as long
 * as this goes on: whatever kills this one, the command ends with it, and the view goes a little later.
 */
import type { ViewFacts } from "#src/control/view.ts";
import { viewEnvironment } from "#src/control/view-environment.ts";
import { viewLeaseMs } from "#src/core/view-limits.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { environment } from "#src/host/node/environment.ts";
import { LastWill, type ShellEnding, shellEnding } from "#src/host/node/shell-command.ts";
import type { ApiClient } from "./api-client.ts";
import { ViewHold } from "./view-hold.ts";

export interface TrialOrder {
  readonly volume: string;
  readonly point: string;
  /** What is no point stands for the one before it. */
  readonly isNearest: boolean;
  readonly command: string;
  readonly withinMs: number;
}

export interface Trial {
  readonly view: ViewFacts;
  /** Undefined: it was not run, since `shouldRun` was against it. */
  readonly ending: ShellEnding | undefined;
  readonly durationMs: number;
}

export async function tryOnView(
  api: ApiClient,
  { volume, point, isNearest, command, withinMs }: TrialOrder,
  { shouldRun = () => true, over = async () => {} }: TrialSteps = {},
): Promise<Trial> {
  const body = { volume, point, writable: true, leased: true, ...(isNearest ? { nearest: true } : {}) };
  const view = (await api.ask("POST", ["views"], { body })) as ViewFacts;
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort(new Error("interrupted"));
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, interrupt);
  const hold = new ViewHold(api, view.name, nodeClock, (error) => interrupted.abort(error));
  const env = { ...environment(), ...viewEnvironment(view) };
  let lastWill: LastWill | undefined;
  try {
    lastWill = await LastWill.begin(":", env);
    const startedMs = nodeClock.monotonicMs();
    const options = { env, timeoutMs: withinMs, signal: interrupted.signal, lastWill };
    const ending = shouldRun(view) ? await shellEnding(command, options) : undefined;
    interrupted.signal.throwIfAborted();
    const trial = { view, ending, durationMs: Math.round(nodeClock.monotonicMs() - startedMs) };
    await over(trial, interrupted.signal);
    return trial;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
    hold.end();
    await lastWill?.callOff();
    await close(api, view);
  }
}

/** What came of the command counts also where this fails: nobody holds the view any more, and so it goes by itself. */
async function close(api: ApiClient, { name, opened }: ViewFacts): Promise<void> {
  try {
    const now = (await api.ask("GET", ["views", name])) as ViewFacts;
    // Whoever puts it away wants to keep it, and whoever closes it may have another one of its name.
    if (now.leased && now.opened === opened) await api.ask("DELETE", ["views", name], { flags: ["discard"] });
    else process.stderr.write(`tidemark: view '${name}' stays: somebody has put it away, or opened it, meanwhile\n`);
  } catch (error) {
    const soon = `if it is still there, it goes by itself within ${viewLeaseMs / 1000} seconds`;
    process.stderr.write(`tidemark: view '${name}' could not be closed: ${(error as Error).message}; ${soon}\n`);
  }
}

export interface TrialSteps {
  readonly shouldRun?: (view: ViewFacts) => boolean;
  /** What is to be done before the view goes. `signal`: it is gone, or this is to end. */
  readonly over?: (trial: Trial, signal: AbortSignal) => Promise<void>;
}

/** One word is for the shell as it is; several are a program and what it is given. */
export function commandText(words: readonly string[]): string {
  const [only = "", ...more] = words;
  if (more.length === 0) return only;
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}
