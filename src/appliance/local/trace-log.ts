/** What became of single records at the remote, for those who want to look at a few of them. Off unless switched on. */
import { traceRecordCountMax } from "#src/core/limits.ts";
import type { Watermarks } from "#src/wire/group-link.ts";

export interface TracedRecord {
  readonly volume: number;
  readonly ordinal: number;
  readonly seq: number;
  receivedAtMs: number | undefined;
  durableAtMs: number | undefined;
  storedAtMs: number | undefined;
}

export class TraceLog {
  #records: TracedRecord[] = [];
  #isOn = false;

  get isOn(): boolean {
    return this.#isOn;
  }

  switchOn(): void {
    this.#isOn = true;
  }

  switchOff(): void {
    this.#isOn = false;
    this.#records = [];
  }

  added(volume: number, ordinal: number, seq: number): void {
    if (this.#records.length === traceRecordCountMax) this.#records.shift();
    const later = { receivedAtMs: undefined, durableAtMs: undefined, storedAtMs: undefined };
    this.#records.push({ volume, ordinal, seq, ...later });
  }

  marks(marks: Watermarks, nowMs: number): void {
    if (!this.#isOn) return;
    for (const record of this.#records) {
      if (record.seq <= marks.received) record.receivedAtMs ??= nowMs;
      if (record.seq <= marks.durable) record.durableAtMs ??= nowMs;
      if (record.seq <= marks.stored) record.storedAtMs ??= nowMs;
    }
  }

  of(volume: number): readonly Readonly<TracedRecord>[] {
    return this.#records.filter((record) => record.volume === volume);
  }
}
