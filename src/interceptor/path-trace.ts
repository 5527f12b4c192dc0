/** Notes for the trace what becomes of records on their way, as long as there is somebody who looks. */
import { assert } from "#src/core/assert.ts";
import { blockBytes } from "#src/core/limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { HostChange } from "./host-change.ts";
import type { RecordInFlight } from "./record-in-flight.ts";
import type { WriteTrace } from "./write-trace.ts";

export class PathTrace {
  readonly #clock: Clock;
  target: WriteTrace | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** 0 while nobody looks. */
  get nowMs(): number {
    return this.target === undefined ? 0 : this.#clock.monotonicMs();
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

  replied(change: HostChange): void {
    if (this.target === undefined) return;
    assert(change.recordCount === 0 || change.firstOrdinal > 0, "a record has an ordinal");
    for (let one = 0; one < change.recordCount; one++) {
      this.target.replied(change.firstOrdinal + one, this.#nowMicros);
    }
  }
}
