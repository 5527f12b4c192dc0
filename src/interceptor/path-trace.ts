/**
 * Counts how long a host has waited for its changes and flushes, and notes for the trace what becomes of records on their way, as
 * long as there is somebody who looks. The clock is looked at once when a batch arrives, and once when it has ended for all of
 * it that was answered by then; for what is answered later once for each.
 */
import { assert } from "#src/core/assert.ts";
import { blockBytes } from "#src/core/limits.ts";
import type { Clock } from "#src/host/clock.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import type { ExportRequest } from "#src/nbd/export.ts";
import type { Flushed } from "./flush-rounds.ts";
import type { HostChange } from "./host-change.ts";
import type { RecordInFlight } from "./record-in-flight.ts";
import type { VolumeFigures } from "./volume-figures.ts";
import type { WriteTrace } from "./write-trace.ts";

const noBatch = -1;

export class PathTrace {
  readonly #clock: Clock;
  readonly #figures: Pick<VolumeFigures, "writeDurations" | "flushDurations">;
  target: WriteTrace | undefined;
  /** When the batch that is under way arrived. */
  #batchMs = noBatch;
  /** Writes of it that were answered within it: they leave when it ends. */
  #answeredCount = 0;

  constructor(clock: Clock, figures: Pick<VolumeFigures, "writeDurations" | "flushDurations">) {
    this.#clock = clock;
    this.#figures = figures;
  }

  /** Of a request that comes now. */
  get arrivalMs(): number {
    if (this.#batchMs === noBatch) this.#batchMs = this.#clock.monotonicMs();
    return this.#batchMs;
  }

  batchEnded(): void {
    if (this.#batchMs === noBatch) return;
    if (this.#answeredCount > 0) {
      this.#figures.writeDurations.note(this.#clock.monotonicMs() - this.#batchMs, this.#answeredCount);
      this.#answeredCount = 0;
    }
    this.#batchMs = noBatch;
  }

  get #nowMicros(): number {
    return Math.round(this.#clock.monotonicMs() * 1000);
  }

  added(record: RecordInFlight): void {
    if (this.target === undefined || record.owner === undefined) return;
    const { ordinal, type, startBlock, blockCount, owner } = record;
    const arrivedMicros = Math.round(owner.arrivedMs * 1000);
    this.target.added(ordinal, type, startBlock * blockBytes, blockCount * blockBytes, arrivedMicros);
  }

  acknowledged(before: number, ordinal: number): void {
    if (this.target === undefined) return;
    for (let one = before + 1; one <= ordinal; one++) this.target.acknowledged(one, this.#nowMicros);
  }

  written(record: RecordInFlight): void {
    this.target?.written(record.ordinal, this.#nowMicros);
  }

  replied(change: HostChange, request: ExportRequest): void {
    if (request.command === command.write && change.error === nbdError.ok) this.#count(change.arrivedMs);
    if (this.target === undefined) return;
    assert(change.recordCount === 0 || change.firstOrdinal > 0, "a record has an ordinal");
    for (let one = 0; one < change.recordCount; one++) {
      this.target.replied(change.firstOrdinal + one, this.#nowMicros);
    }
  }

  #count(arrivedMs: number): void {
    if (arrivedMs === this.#batchMs) this.#answeredCount++;
    else this.#figures.writeDurations.note(this.#clock.monotonicMs() - arrivedMs);
  }

  /** Answers the request when it is flushed. */
  flush(request: ExportRequest): Flushed {
    const arrivedMs = this.arrivalMs;
    return {
      flushed: (error) => {
        if (error === nbdError.ok) this.#figures.flushDurations.note(this.#clock.monotonicMs() - arrivedMs);
        request.complete(error);
      },
    };
  }
}
