/**
 * How densely a volume was written to, in buckets of the same length: for pictures. Pure: it is told of writes, and of rows of them of
 * which only the ends are known.
 *
 * Invariants: every write that it is told of, within its span, is in one bucket; what is spread adds up to what it was told.
 */
import { assert } from "#src/core/assert.ts";
import { densityBucketsMax } from "#src/core/point-limits.ts";

export interface DensitySpan {
  readonly fromMicros: number;
  /** Behind `fromMicros`; does not count itself. */
  readonly toMicros: number;
  readonly bucketCount: number;
}

export interface WriteDensity extends DensitySpan {
  /** By buckets. Writes, trims and zeroings. */
  readonly writes: readonly number[];
  readonly bytes: readonly number[];
  /** Of the last record up to the end of the bucket, within the span; 0: none was seen. */
  readonly lastSeqs: readonly number[];
  /** Not all records were looked at: the numbers are in proportion to those that were. */
  readonly isEstimated: boolean;
}

/** Writes of which it is only known between which moments they lie. */
export interface WriteRow {
  /** The last before them. */
  readonly fromMicros: number;
  readonly toMicros: number;
  readonly lastSeq: number;
  readonly writes: number;
  readonly bytes: number;
}

export class DensityBuckets {
  readonly #span: DensitySpan;
  readonly #bucketMicros: number;
  readonly #writes: Float64Array;
  readonly #bytes: Float64Array;
  readonly #lastSeqs: Float64Array;
  #isEstimated = false;

  constructor(span: DensitySpan) {
    const { fromMicros, toMicros, bucketCount } = span;
    assert(toMicros > fromMicros && fromMicros >= 0, "a span has a length");
    assert(bucketCount >= 1 && bucketCount <= densityBucketsMax, "as many buckets as there may be");
    this.#span = span;
    this.#bucketMicros = (toMicros - fromMicros) / bucketCount;
    this.#writes = new Float64Array(bucketCount);
    this.#bytes = new Float64Array(bucketCount);
    this.#lastSeqs = new Float64Array(bucketCount);
  }

  add(timeMicros: number, seq: number, bytes: number): void {
    const { fromMicros, toMicros } = this.#span;
    if (timeMicros < fromMicros || timeMicros >= toMicros) return;
    const bucket = this.#bucketOf(timeMicros);
    this.#count(bucket, 1, bytes);
    this.#sawSeq(bucket, seq);
  }

  /** Evenly over its time, as far as that is within the span. */
  spread({ fromMicros, toMicros, lastSeq, writes, bytes }: WriteRow): void {
    const span = this.#span;
    if (toMicros < span.fromMicros || fromMicros >= span.toMicros) return;
    this.#isEstimated = true;
    const length = toMicros - fromMicros;
    const start = Math.max(fromMicros, span.fromMicros);
    const end = Math.min(toMicros, span.toMicros);
    const last = this.#bucketOf(Math.min(end, span.toMicros - 1));
    if (length <= 0) this.#count(last, writes, bytes);
    for (let bucket = this.#bucketOf(start); length > 0 && bucket <= last; bucket++) {
      const bucketStart = span.fromMicros + bucket * this.#bucketMicros;
      const within = Math.min(end, bucketStart + this.#bucketMicros) - Math.max(start, bucketStart);
      this.#count(bucket, (writes * within) / length, (bytes * within) / length);
    }
    if (toMicros < span.toMicros) this.#sawSeq(last, lastSeq);
  }

  #bucketOf(timeMicros: number): number {
    const bucket = Math.floor((timeMicros - this.#span.fromMicros) / this.#bucketMicros);
    return Math.min(this.#span.bucketCount - 1, Math.max(0, bucket));
  }

  #count(bucket: number, writes: number, bytes: number): void {
    this.#writes[bucket] = (this.#writes[bucket] as number) + writes;
    this.#bytes[bucket] = (this.#bytes[bucket] as number) + bytes;
  }

  #sawSeq(bucket: number, seq: number): void {
    this.#lastSeqs[bucket] = Math.max(this.#lastSeqs[bucket] as number, seq);
  }

  finish(): WriteDensity {
    return {
      ...this.#span,
      writes: Array.from(this.#writes, rounded),
      bytes: Array.from(this.#bytes, Math.round),
      lastSeqs: Array.from(this.#lastSeqs),
      isEstimated: this.#isEstimated,
    };
  }
}

/** A tenth of a write is still something to see. */
function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
