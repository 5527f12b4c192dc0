/** A program under test as a process that can be killed, frozen and thawed at any moment, and that never outlives its test. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { programPath } from "#test/clients/command.ts";
import type { Outlast } from "#test/once-for-file.ts";
import { isStopped } from "./process-facts.ts";

export interface ProgramOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** A file whose text the program takes for the id of the machine's start, so that a cut of power can be played to it. */
  readonly bootIdFile?: string;
  /** Files that each of the program's threads loads before anything else. */
  readonly preloads?: readonly string[];
  /** Where its end is left to; without it the test's own. */
  readonly outlast?: Outlast;
}

const bootIdOverride = join(import.meta.dirname, "boot-id-override.js");

function environmentOf({ environment, bootIdFile, preloads = [] }: ProgramOptions): NodeJS.ProcessEnv {
  const all = bootIdFile === undefined ? preloads : [...preloads, bootIdOverride];
  const nodeOptions = [process.env.NODE_OPTIONS ?? "", ...all.map((path) => `--import=${path}`)].join(" ").trim();
  return {
    ...process.env,
    PATH: programPath,
    ...(nodeOptions === "" ? {} : { NODE_OPTIONS: nodeOptions }),
    ...(bootIdFile === undefined ? {} : { BOOT_ID_FILE: bootIdFile }),
    ...environment,
  };
}

type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export class Program {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #ended: Promise<Ending>;
  #stderr = "";
  #rest = "";
  #heard: (() => void)[] = [];

  /** `setpriv` has the kernel kill the program when the tests are gone, however they went. */
  constructor(name: string, command: readonly [string, ...string[]], options: ProgramOptions = {}) {
    this.name = name;
    this.#child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...command], {
      stdio: ["ignore", "pipe", "pipe"],
      env: environmentOf(options),
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    // `close` and not `exit`: all that it said has been heard by then.
    this.#ended = once(this.#child, "close").then(([code, signal]) => {
      this.#wake();
      return { code, signal };
    });
    const { outlast = onTestFinished } = options;
    outlast(() => this.kill());
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get processId(): number {
    return this.#child.pid as number;
  }

  get ended(): Promise<Ending> {
    return this.#ended;
  }

  /** Whole lines of the standard output so far. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The first line, old or new, that the condition holds for. */
  async line(condition: (line: string) => boolean): Promise<string> {
    for (let next = 0; ; ) {
      while (next < this.#lines.length) {
        const line = this.#lines[next++] as string;
        if (condition(line)) return line;
      }
      if (!this.isRunning) throw new Error(`${this.name} ended before it said what was waited for:\n${this.#stderr}`);
      await new Promise<void>((resolve) => this.#heard.push(resolve));
    }
  }

  async kill(): Promise<void> {
    if (this.isRunning) this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** Asks it to end, and fails unless it does so in order. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const { code, signal } = await this.#ended;
    if (code !== 0) throw new Error(`${this.name} ended with ${code ?? signal}:\n${this.#stderr}`);
  }

  /** Returns when all of its threads stand still: one that is at work on another processor goes on for a moment. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
    while (!isStopped(this.processId));
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  /** For a look at its files, none of which comes, goes or moves meanwhile. */
  whileFrozen<T>(look: () => T): T {
    this.freeze();
    try {
      return look();
    } finally {
      this.thaw();
    }
  }

  #hear(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() as string;
    this.#lines.push(...lines);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#heard.splice(0)) wake();
  }
}
