/** What happened, one line each. Two runs of one seed must have the same; the digest covers also what is no longer kept. */
import { createHash } from "node:crypto";

const linesKeptMax = 20_000;

export class Trace {
  readonly #hash = createHash("sha256");
  readonly #nowMs: () => number;
  #lines: string[] = [];
  #count = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  add(text: string): void {
    const line = `${this.#nowMs().toFixed(3)} ${text}`;
    this.#count++;
    this.#hash.update(`${line}\n`);
    this.#lines.push(line);
    if (this.#lines.length >= 2 * linesKeptMax) this.#lines = this.#lines.slice(-linesKeptMax);
  }

  get count(): number {
    return this.#count;
  }

  /** The newest lines. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  digest(): string {
    return this.#hash.copy().digest("hex");
  }
}
