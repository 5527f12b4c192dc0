/** Commands that a person gave, run by the shell. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface ShellOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  /** Ends the command, and all that it has started. */
  readonly signal?: AbortSignal;
  /** If this process ends meanwhile, the command is ended before the last will is done. */
  readonly lastWill?: LastWill;
}

/** Resolves when it has ended well; rejects with how it did not. What it prints goes to stderr. */
export async function runShell(command: string, { env, timeoutMs, signal, lastWill }: ShellOptions): Promise<void> {
  signal?.throwIfAborted();
  const child = spawn("/bin/sh", ["-c", command], { env, detached: true, stdio: ["ignore", 2, 2] });
  lastWill?.underWay(child.pid);
  let why: string | undefined;
  const end = (words: string): void => {
    why ??= words;
    killGroup(child);
  };
  const timer = setTimeout(() => end(`it took longer than ${timeoutMs / 1000} s`), timeoutMs);
  const aborted = (): void => end("it was interrupted");
  signal?.addEventListener("abort", aborted);
  try {
    const [code, endedBy] = (await once(child, "close")) as [number | null, string | null];
    if (why === undefined && code !== 0)
      why = code === null ? `it was ended by ${endedBy}` : `it ended with status ${code}`;
    if (why !== undefined) throw new Error(`'${command}' has failed: ${why}`);
  } finally {
    lastWill?.underWay(undefined);
    clearTimeout(timer);
    signal?.removeEventListener("abort", aborted);
  }
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}

/**
 * Runs a command if this process ends without having called it off, however it ends: a shell of its own waits for a word
 * from here, or for the silence that follows a death.
 */
export class LastWill {
  readonly #keeper: ChildProcess;

  constructor(command: string, env: NodeJS.ProcessEnv) {
    const heard = 'group=; while read -r word; do test "$word" = done && exit; group=$word; done';
    const script = `${heard}; test -z "$group" || kill -s KILL -- "-$group"; eval "$1"`;
    this.#keeper = spawn("/bin/sh", ["-c", script, "sh", command], {
      env,
      detached: true,
      stdio: ["pipe", "ignore", 2],
    });
    this.#keeper.stdin?.on("error", () => {});
  }

  /** All processes of this group are ended first; undefined: there are none. */
  underWay(group: number | undefined): void {
    this.#keeper.stdin?.write(`${group ?? ""}\n`);
  }

  /** Resolves when nothing is going to be run any more. */
  async callOff(): Promise<void> {
    const ended = once(this.#keeper, "close");
    this.#keeper.stdin?.end("done\n");
    await ended;
  }
}
