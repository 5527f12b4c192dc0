/**
 * A column of numbers of one kind (docs/formats.md, "The sealed piece"), in runs of 128. Each number comes with a
 * prediction, which whoever reads can make too; a run holds the numbers as they are or how far they are from their
 * predictions, whichever takes fewer bits, above the least of them.
 */
import { assert } from "#src/core/assert.ts";
import { divFloor } from "#src/core/byte-range.ts";
import { bitsOf, type PackedReader, type PackedWriter, packedBitsMax } from "./packed-bytes.ts";

const runLength = 128;
/** In a run's first byte, beside the count of bits. */
const flag = { asTheyAre: 64, belowZero: 128 } as const;
const bitsMask = 63;
/** The most that a run takes besides its numbers: its first byte, and the least of them. */
const runHeadBytes = 9;

/** What a column of so many numbers takes at most, where none of them needs more bits. */
export function columnBytesMax(count: number, bitCount: number): number {
  return Math.ceil(count / runLength) * (runHeadBytes + 1) + Math.ceil((count * bitCount) / 8);
}

export class ColumnWriter {
  readonly #values: Float64Array;
  readonly #predictions: Float64Array;
  #count = 0;

  constructor(countMax: number) {
    this.#values = new Float64Array(countMax);
    this.#predictions = new Float64Array(countMax);
  }

  add(value: number, prediction: number): void {
    assert(this.#count < this.#values.length, "a column has room");
    this.#values[this.#count] = value;
    this.#predictions[this.#count++] = prediction;
  }

  /** Writes the column, and is empty again. */
  finish(writer: PackedWriter): void {
    for (let start = 0; start < this.#count; start += runLength) {
      this.#putRun(writer, start, Math.min(start + runLength, this.#count));
    }
    this.#count = 0;
  }

  #putRun(writer: PackedWriter, start: number, end: number): void {
    const values = this.#values;
    const predictions = this.#predictions;
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    let leastDifference = Number.POSITIVE_INFINITY;
    let mostDifference = Number.NEGATIVE_INFINITY;
    for (let index = start; index < end; index++) {
      const value = values[index] as number;
      const difference = value - (predictions[index] as number);
      if (value < least) least = value;
      if (value > most) most = value;
      if (difference < leastDifference) leastDifference = difference;
      if (difference > mostDifference) mostDifference = difference;
    }
    const isAsTheyAre = most - least < mostDifference - leastDifference;
    const base = isAsTheyAre ? least : leastDifference;
    const bitCount = bitsOf(isAsTheyAre ? most - least : mostDifference - leastDifference);
    assert(bitCount <= packedBitsMax && Number.isSafeInteger(base), "a run of numbers can be packed");
    writer.putByte(bitCount + (isAsTheyAre ? flag.asTheyAre : 0) + (base < 0 ? flag.belowZero : 0));
    writer.putVarint(Math.abs(base));
    if (bitCount === 0) return;
    for (let index = start; index < end; index++) {
      const value = values[index] as number;
      writer.putBits((isAsTheyAre ? value : value - (predictions[index] as number)) - base, bitCount);
    }
    writer.endBits();
  }
}

/** The numbers of a column in their order: as many as were written, which whoever reads has to know. */
export class ColumnReader {
  readonly #reader: PackedReader;
  readonly #valueMax: number;
  /** As they are, or how far they are from their predictions. */
  readonly #numbers: Float64Array;
  readonly #isAsTheyAre: boolean[] = [];
  #next = 0;

  /** Reads all of it. A number beyond `valueMax` breaks the reader. */
  constructor(reader: PackedReader, count: number, valueMax = Number.MAX_SAFE_INTEGER) {
    this.#reader = reader;
    this.#valueMax = valueMax;
    this.#numbers = new Float64Array(count);
    for (let start = 0; start < count; start += runLength) this.#takeRun(start, Math.min(start + runLength, count));
  }

  #takeRun(start: number, end: number): void {
    const reader = this.#reader;
    const head = reader.takeByte();
    const magnitude = reader.takeVarint();
    const base = (head & flag.belowZero) === 0 ? magnitude : -magnitude;
    const bitCount = head & bitsMask;
    this.#isAsTheyAre.push((head & flag.asTheyAre) !== 0);
    if (bitCount > packedBitsMax) {
      reader.breakOff();
      return;
    }
    for (let index = start; index < end; index++) this.#numbers[index] = base + reader.takeBits(bitCount);
    reader.endBits();
  }

  take(prediction: number): number {
    assert(this.#next < this.#numbers.length, "no more is read of a column than there is");
    const isAsItIs = this.#isAsTheyAre[divFloor(this.#next, runLength)] === true;
    const value = (this.#numbers[this.#next++] as number) + (isAsItIs ? 0 : prediction);
    return value >= 0 && value <= this.#valueMax ? value : this.#reader.breakOff();
  }
}
