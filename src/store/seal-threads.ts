/**
 * Threads that do the work of sealing that needs only bytes: fingerprints and compression, in memory that they share with
 * the one that seals. What one of them has, nobody else touches until it has answered.
 */
import { assert } from "#src/core/assert.ts";
import { RetryError } from "#src/core/errors.ts";
import { type PartEffort, sealAheadPerThread, sealBatchFrames } from "#src/core/store-limits.ts";
import { keyedFingerprints, plainFingerprints } from "#src/host/fingerprint.ts";
import { partCompression, setPartEffort } from "#src/host/part-compression.ts";
import type { MessageLine, Thread } from "#src/host/thread.ts";
import { FrameBatch } from "./frame-batch.ts";
import type { SealHelpers } from "./seal-helpers.ts";
import { SlotRun } from "./slot-run.ts";

export interface SealThreadSettings {
  /** With which blocks are fingerprinted; undefined: the store is not encrypted. */
  readonly fingerprintKey: Uint8Array | undefined;
  readonly effort: PartEffort;
}

interface Sharing {
  readonly word: "run" | "batch";
  readonly id: number;
  readonly memory: SharedArrayBuffer;
}

interface Order {
  readonly word: "fingerprint" | "pack";
  readonly id: number;
  readonly count: number;
}

/** `count`: of fingerprints, or as it was asked. */
interface Answer {
  readonly count: number;
}

/** The thread's side. */
export function runThread(line: MessageLine, { fingerprintKey, effort }: SealThreadSettings): void {
  setPartEffort(effort);
  const fingerprints =
    fingerprintKey === undefined ? plainFingerprints : keyedFingerprints(Buffer.from(fingerprintKey));
  const compression = partCompression();
  const runs = new Map<number, SlotRun>();
  const batches = new Map<number, FrameBatch>();
  const act = ({ word, id, count }: Order): number => {
    if (word === "fingerprint") return shared(runs.get(id)).fingerprint(count, fingerprints);
    shared(batches.get(id)).pack(count, compression);
    return count;
  };
  line.receive((message) => {
    const said = message as Sharing | Order;
    if (!("memory" in said)) line.send({ count: act(said) } satisfies Answer);
    else if (said.word === "run") runs.set(said.id, new SlotRun(said.memory));
    else batches.set(said.id, new FrameBatch(sealBatchFrames, said.memory));
  });
}

function shared<Work>(work: Work | undefined): Work {
  assert(work !== undefined, "what is to be worked on is shared before");
  return work;
}

interface Pending {
  readonly resolve: (count: number) => void;
  readonly reject: (error: Error) => void;
}

/** One thread, which does one thing after the other. */
class SealThread {
  readonly #thread: Thread;
  readonly #ids = new WeakMap<SlotRun | FrameBatch, number>();
  readonly #pending: Pending[] = [];
  #lastId = 0;
  #error: RetryError | undefined;

  constructor(thread: Thread) {
    this.#thread = thread;
    thread.receive((message) => {
      const oldest = this.#pending.shift();
      assert(oldest !== undefined, "a thread answers what it was asked");
      oldest.resolve((message as Answer).count);
    });
    void thread.ended.then((error) => this.#ended(error));
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  ask(word: "fingerprint" | "pack", work: SlotRun | FrameBatch, count: number): Promise<number> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#pending.push({ resolve, reject });
    this.#thread.send({ word, id: this.#idOf(word === "pack" ? "batch" : "run", work), count } satisfies Order);
    return promise;
  }

  #idOf(word: "run" | "batch", work: SlotRun | FrameBatch): number {
    const known = this.#ids.get(work);
    if (known !== undefined) return known;
    const id = ++this.#lastId;
    this.#ids.set(work, id);
    this.#thread.send({ word, id, memory: work.memory } satisfies Sharing);
    return id;
  }

  #ended(error: Error | undefined): void {
    this.#error = new RetryError(`a thread that seals has ended: ${error?.message ?? "it was told to"}`);
    for (const { reject } of this.#pending.splice(0)) reject(this.#error);
  }

  end(): void {
    this.#thread.end();
  }
}

export class SealThreads implements SealHelpers {
  readonly #threads: readonly SealThread[];
  readonly #batches: FrameBatch[] = [];

  constructor(threads: readonly Thread[]) {
    assert(threads.length > 0, "somebody has to do it");
    this.#threads = threads.map((thread) => new SealThread(thread));
  }

  get aheadCount(): number {
    return this.#threads.length * sealAheadPerThread;
  }

  takeBatch(): FrameBatch {
    return this.#batches.pop() ?? new FrameBatch(sealBatchFrames);
  }

  giveBatch(batch: FrameBatch): void {
    batch.clear();
    this.#batches.push(batch);
  }

  fingerprint(run: SlotRun, count: number): Promise<number> {
    return this.#idlest().ask("fingerprint", run, count);
  }

  async pack(batch: FrameBatch): Promise<void> {
    await this.#idlest().ask("pack", batch, batch.frameCount);
  }

  end(): void {
    for (const thread of this.#threads) thread.end();
  }

  #idlest(): SealThread {
    return this.#threads.reduce((idlest, one) => (one.pendingCount < idlest.pendingCount ? one : idlest));
  }
}
