/** Writes that a host has under way: whether one was answered is looked at, not waited for. */
import { readFileSync } from "node:fs";
import { stampedBytes } from "#test/oracle/block-stamp.ts";
import type { Attached } from "#test/oracle/history-writer.ts";

export class HostWrites {
  readonly #client: Attached;
  readonly #all: Promise<void>[] = [];
  #answeredCount = 0;

  constructor(client: Attached) {
    this.#client = client;
  }

  /** Of one block, full of this byte. Resolves when it was answered well. */
  begin(block: number, byte: number): Promise<void> {
    const write = this.#client.write(block * stampedBytes, Buffer.alloc(stampedBytes, byte));
    const answered = write.then(() => this.#answered());
    this.#all.push(answered);
    return answered;
  }

  #answered(): void {
    this.#answeredCount++;
  }

  get answeredCount(): number {
    return this.#answeredCount;
  }

  /** Rejects if one was answered with an error. */
  async allAnswered(): Promise<void> {
    await Promise.all(this.#all);
  }
}

/** What the first bytes of so many blocks of a file are: the blocks of these tests are full of one byte each. */
export function bytesIn(path: string, blockCount: number): number[] {
  const content = readFileSync(path);
  return Array.from({ length: blockCount }, (_, block) => content[block * stampedBytes] as number);
}
