/** One long work beside sealing: its pace, its progress, and how it is ended. */
import type { Clock } from "#src/host/clock.ts";
import { CancelledError, type WorkControl, type WorkProgress } from "./work-control.ts";
import { WorkPace } from "./work-pace.ts";

export interface LongWorkParts {
  readonly clock: Clock;
  /** `Infinity`: as fast as it can. */
  readonly bytesPerSecondMax: number;
  /** Something else wants the time and the disk more. */
  readonly isOtherHurried: () => boolean;
}

export class LongWork implements WorkControl {
  readonly #parts: LongWorkParts;
  readonly #pace: WorkPace;
  #isCancelled = false;
  #latest: WorkProgress | undefined;
  #pacedBytes = 0;
  #paceCount = 0;
  /** Ends the wait. */
  #wake: (() => void) | undefined;

  constructor(parts: LongWorkParts) {
    this.#parts = parts;
    this.#pace = new WorkPace(parts.bytesPerSecondMax, parts.clock.monotonicMs());
  }

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** What it told last. */
  get latest(): WorkProgress | undefined {
    return this.#latest;
  }

  /** Read and written so far. */
  get pacedBytes(): number {
    return this.#pacedBytes;
  }

  /** Grows while it gets on. */
  get paceCount(): number {
    return this.#paceCount;
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#wake?.();
  }

  throwIfCancelled(): void {
    if (this.#isCancelled) throw new CancelledError();
  }

  progress(progress: WorkProgress): void {
    this.#latest = progress;
  }

  async pace(byteLength: number): Promise<void> {
    const { clock, isOtherHurried } = this.#parts;
    this.throwIfCancelled();
    this.#pacedBytes += byteLength;
    this.#paceCount++;
    await this.#wait(this.#pace.waitMs(clock.monotonicMs(), byteLength, isOtherHurried()));
    this.#pace.resumed(clock.monotonicMs());
    this.throwIfCancelled();
  }

  /** At least until others had their turn. */
  #wait(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#parts.clock.timer(delayMs, resolve);
    this.#wake = () => {
      timer.cancel();
      resolve();
    };
    return promise.finally(() => {
      this.#wake = undefined;
    });
  }
}
