/**
 * The life of the last records, for whoever wants to see it: times in microseconds of the monotonic clock, 0 for what has
 * not come yet. A ring that ordinals index, so noting something costs one store.
 */
export interface TracedRecord {
  readonly ordinal: number;
  /** One of `recordType`. */
  readonly type: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly arrivedMicros: number;
  readonly acknowledgedMicros: number;
  readonly writtenMicros: number;
  readonly repliedMicros: number;
}

const fieldCount = 8;
const at = { ordinal: 0, type: 1, offset: 2, length: 3, arrived: 4, acknowledged: 5, written: 6, replied: 7 };

export class WriteTrace {
  readonly #fields: Float64Array;
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
    this.#fields = new Float64Array(count * fieldCount);
  }

  added(ordinal: number, type: number, offsetBytes: number, lengthBytes: number, arrivedMicros: number): void {
    const start = (ordinal % this.#count) * fieldCount;
    this.#fields.fill(0, start, start + fieldCount);
    this.#fields[start + at.ordinal] = ordinal;
    this.#fields[start + at.type] = type;
    this.#fields[start + at.offset] = offsetBytes;
    this.#fields[start + at.length] = lengthBytes;
    this.#fields[start + at.arrived] = arrivedMicros;
  }

  acknowledged(ordinal: number, micros: number): void {
    this.#note(ordinal, at.acknowledged, micros);
  }

  written(ordinal: number, micros: number): void {
    this.#note(ordinal, at.written, micros);
  }

  replied(ordinal: number, micros: number): void {
    this.#note(ordinal, at.replied, micros);
  }

  #note(ordinal: number, field: number, micros: number): void {
    const start = (ordinal % this.#count) * fieldCount;
    if (this.#fields[start] === ordinal) this.#fields[start + field] = micros;
  }

  /** Oldest first. */
  records(): TracedRecord[] {
    const records: TracedRecord[] = [];
    for (let start = 0; start < this.#fields.length; start += fieldCount) {
      const field = (offset: number): number => this.#fields[start + offset] as number;
      if (field(at.ordinal) === 0) continue;
      records.push({
        ordinal: field(at.ordinal),
        type: field(at.type),
        offsetBytes: field(at.offset),
        lengthBytes: field(at.length),
        arrivedMicros: field(at.arrived),
        acknowledgedMicros: field(at.acknowledged),
        writtenMicros: field(at.written),
        repliedMicros: field(at.replied),
      });
    }
    return records.sort((a, b) => a.ordinal - b.ordinal);
  }
}
