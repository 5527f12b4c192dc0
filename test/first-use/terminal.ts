/** What is typed in a terminal, and what it shows. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";

/** Ctrl-C, as the terminal hears it. */
const interrupt = "\u0003";

/** All that runs in one ends with this process, before the folders go that it writes to. */
const running = new Set<ChildProcess>();
process.prependOnceListener("exit", () => {
  for (const one of running) one.kill("SIGKILL");
});

export class Terminal {
  readonly #command: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #text = "";
  #heard: (() => void)[] = [];

  constructor(command: string, [program = "", ...line]: readonly string[]) {
    this.#command = command;
    this.#child = spawn(program, line, { stdio: ["pipe", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#text += stripVTControlCharacters(text).replaceAll("\r", "");
        this.#wake();
      });
    }
    this.#ended = once(this.#child, "close").then(([status]) => {
      running.delete(this.#child);
      this.#wake();
      return status as number | null;
    });
    running.add(this.#child);
  }

  get text(): string {
    return this.#text;
  }

  /** Resolves when it was shown; rejects where it ends without. */
  async shows(words: RegExp): Promise<void> {
    while (!words.test(this.#text)) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        await this.#ended;
        if (words.test(this.#text)) return;
        throw new Error(`'${this.#command}' has not shown ${words}, but this:\n${this.#text}`);
      }
      await new Promise<void>((resolve) => this.#heard.push(resolve));
    }
  }

  /** Resolves when it has ended, and fails unless that was in order. */
  async succeeds(): Promise<void> {
    const status = await this.#ended;
    if (status !== 0) throw new Error(`'${this.#command}' ended with status ${status}:\n${this.#text}`);
  }

  async interrupted(): Promise<void> {
    this.#child.stdin?.write(interrupt);
    await this.#ended;
  }

  #wake(): void {
    for (const wake of this.#heard.splice(0)) wake();
  }
}
