/**
 * Some of an open journal's records, as much of them as is in memory: all that they say while they are new, then what they come to,
 * block by block, and of the oldest only where they lie.
 *
 * Invariant: what they come to is asked for when nothing is added any more.
 */
import { assert } from "#src/core/assert.ts";
import type { CursorPlace } from "#src/journals/metadata-cursor.ts";
import type { FoundUnit } from "#src/journals/metadata-unit.ts";
import { ExtentRows } from "./extent-rows.ts";
import { TailRecords, type TailSummary } from "./tail-records.ts";

/** Of a volume of which none of them says anything. */
const noRows = new ExtentRows(0);

export class TailChunk {
  /** Of the first unit. */
  readonly firstSeq: number;
  readonly place: CursorPlace;
  #lastSeq: number;
  #records: TailRecords | undefined = new TailRecords();
  #summary: TailSummary | undefined;
  #isFull = false;
  /** By volume; undefined: they are made anew for whoever wants them. */
  #rows: Map<number, ExtentRows> | undefined = new Map();
  #rowCount = 0;

  constructor(firstSeq: number, place: CursorPlace) {
    this.firstSeq = firstSeq;
    this.place = place;
    this.#lastSeq = firstSeq;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Undefined: they are read again when they are needed. */
  get records(): TailRecords | undefined {
    return this.#records;
  }

  get summary(): TailSummary {
    return this.#summary ?? (this.#records as TailSummary);
  }

  /** Nothing is added any more. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** That are in memory. */
  get rowCount(): number {
    return this.#rowCount;
  }

  add(unit: FoundUnit): void {
    assert(!this.#isFull && this.#records !== undefined, "a chunk that is full never changes");
    this.#records.add(unit);
    this.#lastSeq = unit.lastSeq;
  }

  fill(): void {
    this.#isFull = true;
  }

  /** What all of them say of the volume, where that is in memory or can be made. */
  rowsOf(volume: number): ExtentRows | undefined {
    assert(this.#isFull, "what is asked for is whole");
    const known = this.#rows?.get(volume);
    if (known !== undefined) return known;
    if (this.#records === undefined) return this.#rows === undefined ? undefined : noRows;
    const rows = this.#records.rowsOf(volume);
    if (this.#rows !== undefined) {
      this.#rows.set(volume, rows);
      this.#rowCount += rows.count;
    }
    return rows;
  }

  /** What they come to stays. */
  dropRecords(): void {
    const records = this.#records;
    if (records === undefined) return;
    if (this.#rows !== undefined) for (const volume of records.volumeNumbers) this.rowsOf(volume);
    const { events, hasAggregates, firstPoint, lastPoint } = records;
    this.#summary = { events, hasAggregates, firstPoint, lastPoint };
    this.#records = undefined;
  }

  dropRows(): void {
    this.#rows = undefined;
    this.#rowCount = 0;
  }
}
