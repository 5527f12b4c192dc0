/** What a volume has done, in plain numbers; what all volumes of the program did goes to the counters, once per batch. */
import { DurationCounts, requestBoundsSeconds } from "#src/core/duration-counts.ts";
import { counterStepMax } from "#src/core/limits.ts";
import type { Counter, Counters } from "#src/host/counters.ts";

export class VolumeFigures {
  writes = 0;
  writeBytes = 0;
  trims = 0;
  zeroings = 0;
  flushes = 0;
  reads = 0;
  readBytes = 0;
  /** What hosts wait for the source to read, beyond what it had at hand: begun, and ended. */
  slowReads = 0;
  slowReadsEnded = 0;
  /** Read from the source to complete blocks that the host wrote in part. */
  edgeBytes = 0;
  /** Read from the source to copy it into the order. */
  copyBytes = 0;
  /** Answered with an error, whoever is to blame for it. */
  failedReads = 0;
  failedWrites = 0;
  failedFlushes = 0;
  /** From the arrival to the answer, of those that were done. */
  readonly writeDurations = new DurationCounts(requestBoundsSeconds);
  readonly flushDurations = new DurationCounts(requestBoundsSeconds);

  /** Asked for by the host. */
  get changes(): number {
    return this.writes + this.trims + this.zeroings;
  }
}

type FigureName = "writes" | "writeBytes" | "reads" | "readBytes";

const counterNames: ReadonlyMap<FigureName, string> = new Map([
  ["writes", "writes_total"],
  ["writeBytes", "write_bytes_total"],
  ["reads", "reads_total"],
  ["readBytes", "read_bytes_total"],
]);

export class FigurePublisher {
  readonly #figures: VolumeFigures;
  readonly #published: { readonly name: FigureName; readonly counter: Counter; told: number }[];

  constructor(figures: VolumeFigures, counters: Counters) {
    this.#figures = figures;
    this.#published = [...counterNames].map(([name, counter]) => ({
      name,
      counter: counters.counter(counter),
      told: 0,
    }));
  }

  publish(): void {
    for (const item of this.#published) {
      const now = this.#figures[item.name];
      for (let left = now - item.told; left > 0; left -= counterStepMax) {
        item.counter.add(Math.min(left, counterStepMax));
      }
      item.told = now;
    }
  }
}
