/**
 * Who gets the threads of Node's pool that wait for disks. A disk that hangs never gives one back, and the pool is the whole
 * process's: without a rule it would soon have all, and every sync of every other disk would wait behind it. So work begins only
 * if its disk then has no more threads than are left: one that hangs comes to half of them, the next to half of the rest.
 */
import { threadPoolSize } from "#src/core/limits.ts";

/** Calls `finished` when it is through, on a later turn. */
export type DiskWork = (finished: () => void) => void;

export class DiskThreads {
  readonly size: number;
  readonly #queues = new Map<number, DiskQueue>();
  /** Those of which some work waits; whose turn was longest ago comes first. */
  readonly #waiting = new Set<DiskQueue>();
  #busyCount = 0;

  constructor(size: number) {
    this.size = size;
  }

  /** For all work on one disk, by the number that the system has for it. */
  queueOf(disk: number): DiskQueue {
    const queue = this.#queues.get(disk) ?? new DiskQueue(this);
    this.#queues.set(disk, queue);
    return queue;
  }

  hasThreadFor(ownCount: number): boolean {
    return ownCount + 1 <= this.size - this.#busyCount - 1;
  }

  began(): void {
    this.#busyCount++;
  }

  waits(queue: DiskQueue): void {
    this.#waiting.add(queue);
  }

  finished(): void {
    this.#busyCount--;
    for (const queue of [...this.#waiting]) {
      if (!queue.beginNext()) continue;
      this.#waiting.delete(queue);
      if (queue.waitingCount > 0) this.#waiting.add(queue);
    }
  }
}

export class DiskQueue {
  readonly #threads: DiskThreads;
  readonly #waiting: DiskWork[] = [];
  #busyCount = 0;

  constructor(threads: DiskThreads) {
    this.#threads = threads;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** At once, or as soon as there is a thread for it. */
  run(work: DiskWork): void {
    if (this.#waiting.length === 0 && this.#threads.hasThreadFor(this.#busyCount)) return this.#begin(work);
    this.#waiting.push(work);
    this.#threads.waits(this);
  }

  /** False: there is no thread for it yet. */
  beginNext(): boolean {
    if (!this.#threads.hasThreadFor(this.#busyCount)) return false;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#begin(next);
    return next !== undefined;
  }

  #begin(work: DiskWork): void {
    this.#busyCount++;
    this.#threads.began();
    work(() => {
      this.#busyCount--;
      this.#threads.finished();
    });
  }
}

/** Of this thread. What others have under way is not counted: they sync, one file at a time. */
export const diskThreads = new DiskThreads(threadPoolSize);
