/**
 * Writes to a volume over NBD as a host would, several requests at a time, and notes in a history what was handed over
 * and what was answered. An error of the connection ends it; the history then knows what is uncertain.
 */
import type { NbdClient } from "#src/nbd/client/client.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { putStamp, stampedBytes } from "./block-stamp.ts";
import type { SettleOptions, WriteHistory, Writing } from "./write-history.ts";

/** What a host does with a volume, over one connection or several. */
export type Attached = Pick<NbdClient, "read" | "write" | "flush" | "trim" | "writeZeroes">;

export interface WriterOptions {
  readonly client: Attached;
  readonly history: WriteHistory;
  readonly random: SeededRandom;
  /** Requests under way at the same time. */
  readonly depth?: number;
  readonly blocksPerWriteMax?: number;
}

const readBlocks = 64;

export class HistoryWriter {
  readonly #options: Required<WriterOptions>;
  readonly #busy = new Set<number>();
  /** Asked to do no more. */
  #ending = false;
  #failure: Error | undefined;
  readonly #complaints: string[] = [];
  #requests = 0;
  #lanes = 0;
  #waiting: { readonly requests: number; readonly wake: () => void }[] = [];

  constructor(options: WriterOptions) {
    this.#options = { depth: 8, blocksPerWriteMax: 8, ...options };
  }

  /** Requests answered well. */
  get requests(): number {
    return this.#requests;
  }

  /** What reads in between found wrong. */
  get complaints(): readonly string[] {
    return this.#complaints;
  }

  /** Why it ended, unless it was asked to. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Goes on until `requests` were answered, `end` is called or the connection fails, whichever is first. */
  async run(requests = Number.POSITIVE_INFINITY): Promise<void> {
    const lanes = Array.from({ length: this.#options.depth }, () => this.#lane(requests));
    await Promise.all(lanes);
  }

  /** Resolves when so many requests were answered, or when no more will be. */
  whenAnswered(requests: number): Promise<void> {
    return new Promise((wake) => {
      this.#waiting.push({ requests, wake });
      this.#wake();
    });
  }

  #wake(): void {
    const isOver = this.#lanes === 0;
    const due = this.#waiting.filter(({ requests }) => isOver || requests <= this.#requests);
    this.#waiting = this.#waiting.filter((one) => !due.includes(one));
    for (const { wake } of due) wake();
  }

  end(): void {
    this.#ending = true;
  }

  async #lane(requests: number): Promise<void> {
    this.#lanes++;
    while (!this.#ending && this.#failure === undefined && this.#requests < requests) {
      try {
        await this.#step();
        this.#requests++;
      } catch (error) {
        this.#failure ??= error as Error;
      }
      this.#wake();
    }
    this.#lanes--;
    this.#wake();
  }

  #step(): Promise<void> {
    const draw = this.#options.random.integerBelow(100);
    if (draw < 4) return this.#flush();
    if (draw < 8) return this.#change("zero");
    if (draw < 10) return this.#change("trim");
    if (draw < 14) return this.#read();
    return this.#change("write");
  }

  async #flush(): Promise<void> {
    const { client, history } = this.#options;
    const token = history.flushIssued();
    await client.flush();
    history.flushReplied(token);
  }

  async #change(kind: Writing["kind"]): Promise<void> {
    const { client, history, random } = this.#options;
    const range = this.#takeRange();
    if (range === undefined) return this.#flush();
    const { start, count } = range;
    const writing = history.issue(kind, start, count);
    const fua = random.chance(0.03);
    try {
      const offset = start * stampedBytes;
      if (kind === "write") await client.write(offset, stamps(history.volume, writing), { fua });
      else if (kind === "zero") await client.writeZeroes(offset, count * stampedBytes, { fua });
      else await client.trim(offset, count * stampedBytes, { fua });
      history.replied(writing);
      if (fua) history.promise(writing);
    } finally {
      this.#giveBack(start, count);
    }
  }

  async #read(): Promise<void> {
    const { client, history } = this.#options;
    const range = this.#takeRange();
    if (range === undefined) return;
    const { start, count } = range;
    try {
      const bytes = await client.read(start * stampedBytes, count * stampedBytes);
      for (let index = 0; index < count; index++) {
        this.#complain(history.judge(start + index, blockOf(bytes, index)));
      }
    } finally {
      this.#giveBack(start, count);
    }
  }

  #complain(complaint: string | undefined): void {
    if (complaint !== undefined) this.#complaints.push(complaint);
  }

  /** Undefined: too much is busy. */
  #takeRange(): { readonly start: number; readonly count: number } | undefined {
    const { random, history, blocksPerWriteMax } = this.#options;
    for (let attempt = 0; attempt < 20; attempt++) {
      const count = random.chance(0.6) ? 1 : random.between(1, blocksPerWriteMax);
      const start = random.integerBelow(history.blockCount - count + 1);
      const blocks = Array.from({ length: count }, (_, index) => start + index);
      if (blocks.some((block) => this.#busy.has(block))) continue;
      for (const block of blocks) this.#busy.add(block);
      return { start, count };
    }
    return undefined;
  }

  #giveBack(start: number, count: number): void {
    for (let block = start; block < start + count; block++) this.#busy.delete(block);
  }
}

function blockOf(bytes: Buffer, index: number): Buffer {
  return bytes.subarray(index * stampedBytes, (index + 1) * stampedBytes);
}

function stamps(volume: number, { number, startBlock, blockCount }: Writing): Buffer {
  const bytes = Buffer.alloc(blockCount * stampedBytes);
  for (let index = 0; index < blockCount; index++) {
    putStamp(bytes, index * stampedBytes, { volume, block: startBlock + index, number });
  }
  return bytes;
}

/** Reads the whole volume after an accident; answers what is wrong, in words. What was found is what counts from then on. */
export async function settleAll(
  client: Attached,
  history: WriteHistory,
  options: SettleOptions = {},
): Promise<string[]> {
  const complaints: string[] = [];
  history.restarted();
  for (let start = 0; start < history.blockCount; start += readBlocks) {
    const count = Math.min(readBlocks, history.blockCount - start);
    const bytes = await client.read(start * stampedBytes, count * stampedBytes);
    for (let index = 0; index < count; index++) {
      const complaint = history.settle(start + index, blockOf(bytes, index), options);
      if (complaint !== undefined) complaints.push(complaint);
    }
  }
  return complaints;
}
