/** Commands that a person gave, run by the shell. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { inWords } from "../system-words.ts";

export interface ShellOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  /** Ends the command, and all that it has started. */
  readonly signal?: AbortSignal;
  /** If this process ends meanwhile, the command is ended before the last will is done. */
  readonly lastWill?: LastWill;
}

/** Resolves when it has ended well; rejects with how it did not. What it prints goes to stderr. */
export async function runShell(command: string, options: ShellOptions): Promise<void> {
  const { why } = await shellEnding(command, options);
  if (why !== undefined) throw new Error(`'${command}' has failed: ${why}`);
}

/** The same of one that is to end with this process, however that ends: nobody else knows for how long it may run. */
export async function runShellAlong(command: string, options: Omit<ShellOptions, "lastWill">): Promise<void> {
  const lastWill = await LastWill.begin(":", options.env);
  try {
    await runShell(command, { ...options, lastWill });
  } finally {
    await lastWill.callOff();
  }
}

export interface ShellEnding {
  /** Undefined: it was ended before it ended by itself. */
  readonly status: number | undefined;
  /** How it has not ended well; undefined: it has. */
  readonly why: string | undefined;
}

/** The same for who wants to know how it has ended. */
export async function shellEnding(
  command: string,
  { env, timeoutMs, signal, lastWill }: ShellOptions,
): Promise<ShellEnding> {
  signal?.throwIfAborted();
  const run = lastWill === undefined ? begun(command, env) : begunUnder(lastWill, command, env);
  const aborted = (): void => run.end("it was interrupted");
  signal?.addEventListener("abort", aborted);
  try {
    const why = await run.failure(timeoutMs);
    return { status: run.status, why };
  } finally {
    lastWill?.underWay(undefined);
    signal?.removeEventListener("abort", aborted);
  }
}

function begun(command: string, env: NodeJS.ProcessEnv): ShellRun {
  return new ShellRun(spawn("/bin/sh", ["-c", command], { env, detached: true, stdio: ["ignore", 2, 2] }));
}

/** Waits for a word; where that cannot come any more nothing is done. */
const gatedScript = 'read -r word <&3 && exec /bin/sh -c "$1" 3<&-';

/**
 * Does nothing before the keeper knows of it. If this process were killed between the two, it would be done behind the last
 * will, or for ever.
 */
function begunUnder(lastWill: LastWill, command: string, env: NodeJS.ProcessEnv): ShellRun {
  const argv = ["-c", gatedScript, "sh", command];
  const child = spawn("/bin/sh", argv, { env, detached: true, stdio: ["ignore", 2, 2, "pipe"] });
  const run = new ShellRun(child);
  const gate = child.stdio[3] as Writable;
  // It has been ended before it was let through.
  gate.on("error", () => {});
  lastWill.underWay(child.pid, (failed) => {
    if (failed) run.end("the shell that would end it if this command were killed has ended");
    else gate.end("\n");
  });
  return run;
}

/**
 * What a command prints. Where it fails the error says how, and neither the command nor anything that it has printed: both
 * may be secret.
 */
export async function shellOutput(
  command: string,
  { env, timeoutMs, bytesMax }: Pick<ShellOptions, "env" | "timeoutMs"> & { readonly bytesMax: number },
): Promise<Buffer> {
  const child = spawn("/bin/sh", ["-c", command], { env, detached: true, stdio: ["ignore", "pipe", 2] });
  const run = new ShellRun(child);
  const pieces: Buffer[] = [];
  let byteCount = 0;
  child.stdout?.on("data", (piece: Buffer) => {
    byteCount += piece.length;
    if (byteCount <= bytesMax) pieces.push(piece);
    else run.end(`it printed more than ${bytesMax} bytes`);
  });
  const why = await run.failure(timeoutMs);
  if (why !== undefined) throw new Error(`the command has failed: ${why}`);
  return Buffer.concat(pieces);
}

class ShellRun {
  readonly #child: ChildProcess;
  #why: string | undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** With which it has ended by itself. */
  get status(): number | undefined {
    return this.#why === undefined ? (this.#child.exitCode ?? undefined) : undefined;
  }

  /** Undefined: it has ended well. */
  async failure(timeoutMs: number): Promise<string | undefined> {
    const timer = setTimeout(() => this.end(`it took longer than ${timeoutMs / 1000} s`), timeoutMs);
    try {
      const [code, endedBy] = (await once(this.#child, "close")) as [number | null, string | null];
      return this.#why === undefined && code !== 0 ? howItEnded(code, endedBy) : this.#why;
    } finally {
      clearTimeout(timer);
    }
  }

  end(why: string): void {
    this.#why ??= why;
    killGroup(this.#child);
  }
}

function howItEnded(code: number | null, endedBy: string | null): string {
  return code === null ? `it was ended by ${endedBy}` : `it ended with status ${code}`;
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}

/** Whoever is stopped with all processes of his service may not take the keeper with him. */
const serviceStops = "HUP INT TERM";

const keeperScript = [
  `trap '' ${serviceStops}`,
  // From now on. Whoever reads it may be gone when something is printed later.
  "echo; exec >/dev/null",
  'group=; while read -r word; do test "$word" = done && exit; group=$word; done',
  'test -z "$group" || kill -s KILL -- "-$group"',
  // The command itself may be stopped as any other.
  `trap - ${serviceStops}; eval "$1"`,
].join("; ");

/**
 * Runs a command if this process ends without having called it off, however it ends: a shell of its own waits for a word
 * from here, or for the silence that follows a death.
 */
export class LastWill {
  readonly #keeper: ChildProcess;
  readonly #ended: Promise<void>;
  #isCalledOff = false;

  private constructor(keeper: ChildProcess, lost: (how: string) => void) {
    this.#keeper = keeper;
    keeper.stdin?.on("error", () => {});
    keeper.once("exit", (code, endedBy) => {
      if (!this.#isCalledOff) lost(howItEnded(code, endedBy));
    });
    // It may have been ended by somebody long before it is called off.
    this.#ended = new Promise((resolve) => keeper.once("close", () => resolve()));
  }

  /**
   * Resolves when it is certain that it would be done; rejects where no shell can be had for it. `lost`: the shell has ended
   * without having been called off, so that nothing would be done any more.
   */
  static async begin(
    command: string,
    env: NodeJS.ProcessEnv,
    lost: (why: Error) => void = () => {},
  ): Promise<LastWill> {
    const purpose = `the shell that would run '${command}' if this command were killed`;
    const { promise: listens, resolve, reject } = Promise.withResolvers<void>();
    try {
      const argv = ["-c", keeperScript, "sh", command];
      const keeper = spawn("/bin/sh", argv, { env, detached: true, stdio: ["pipe", "pipe", 2] });
      keeper.once("error", reject);
      keeper.stdout?.once("data", () => resolve());
      const will = new LastWill(keeper, (how) => {
        reject(new Error(how));
        lost(new Error(`${purpose} has ended: ${how}`));
      });
      await listens;
      return will;
    } catch (error) {
      throw new Error(`${purpose} cannot be started: ${inWords(error)}`, { cause: error });
    }
  }

  /** All processes of this group are ended first; undefined: there are none. `told`: the keeper has it, or cannot have it. */
  underWay(group: number | undefined, told: (failed?: Error | null) => void = () => {}): void {
    this.#keeper.stdin?.write(`${group ?? ""}\n`, told);
  }

  /** Resolves when nothing is going to be run any more. */
  async callOff(): Promise<void> {
    this.#isCalledOff = true;
    this.#keeper.stdin?.end("done\n");
    await this.#ended;
  }
}
