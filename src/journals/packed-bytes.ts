/**
 * Numbers one behind the other in as few bytes as they need (docs/formats.md, "The sealed piece"): some in bytes of seven
 * bits each, some in a fixed count of bits, lowest bit first. All are whole and from 0 to 2^53 - 1.
 */
import { assert } from "#src/core/assert.ts";
import { divFloor } from "#src/core/byte-range.ts";

/** Bits that are put or taken at a time: with up to seven others they fit into the 32 of a bit operation. */
const stepBits = 24;
const stepSize = 2 ** stepBits;
/** Of 2^53 - 1 in pieces of seven bits. */
export const varintBytesMax = 8;
export const packedBitsMax = 53;

export function bitsOf(value: number): number {
  return value < 2 ** 31 ? 32 - Math.clz32(value) : 32 - Math.clz32(Math.floor(value / 2 ** 31)) + 31;
}

export class PackedWriter {
  readonly #bytes: Buffer;
  #at = 0;
  /** Bits that do not make a byte yet. */
  #pending = 0;
  #pendingBits = 0;

  constructor(byteLength: number) {
    this.#bytes = Buffer.alloc(byteLength);
  }

  /** What was written since the last `clear`; valid until the next one. */
  get bytes(): Buffer {
    assert(this.#pendingBits === 0, "bits have been ended");
    return this.#bytes.subarray(0, this.#at);
  }

  clear(): void {
    this.#at = 0;
  }

  putByte(value: number): void {
    assert(this.#at < this.#bytes.length, "what is packed has room");
    this.#bytes[this.#at++] = value;
  }

  putVarint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, "a number is whole and not negative");
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.putByte((rest % 128) + 128);
    this.putByte(rest);
  }

  putBytes(source: Buffer, start: number, end: number): void {
    assert(this.#at + end - start <= this.#bytes.length, "what is packed has room");
    source.copy(this.#bytes, this.#at, start, end);
    this.#at += end - start;
  }

  /** Followed by others, and then by `endBits`. */
  putBits(value: number, bitCount: number): void {
    let rest = value;
    let left = bitCount;
    for (; left > stepBits; left -= stepBits) {
      this.#putStep(rest % stepSize, stepBits);
      rest = Math.floor(rest / stepSize);
    }
    this.#putStep(rest, left);
  }

  #putStep(value: number, bitCount: number): void {
    this.#pending |= value << this.#pendingBits;
    this.#pendingBits += bitCount;
    for (; this.#pendingBits >= 8; this.#pendingBits -= 8) {
      this.putByte(this.#pending & 0xff);
      this.#pending >>>= 8;
    }
  }

  /** Zeros up to a whole byte. */
  endBits(): void {
    if (this.#pendingBits > 0) this.putByte(this.#pending);
    this.#pending = 0;
    this.#pendingBits = 0;
  }
}

/** What is not there, or too large, is read as 0, and makes `isBroken` true for good. */
export class PackedReader {
  readonly #bytes: Buffer;
  #at: number;
  #pending = 0;
  #pendingBits = 0;
  #isBroken = false;

  constructor(bytes: Buffer, start = 0) {
    this.#bytes = bytes;
    this.#at = start;
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  breakOff(): 0 {
    this.#isBroken = true;
    return 0;
  }

  takeByte(): number {
    return this.#bytes[this.#at++] ?? this.breakOff();
  }

  takeVarint(): number {
    let value = 0;
    let scale = 1;
    for (let index = 0; index < varintBytesMax; index++) {
      const byte = this.takeByte();
      value += (byte % 128) * scale;
      // Each number is written in one way only.
      if (byte < 128) return value > Number.MAX_SAFE_INTEGER || (byte === 0 && index > 0) ? this.breakOff() : value;
      scale *= 128;
    }
    return this.breakOff();
  }

  takeBytes(byteLength: number): Buffer {
    if (byteLength > this.#bytes.length - this.#at) this.breakOff();
    const taken = this.#bytes.subarray(this.#at, this.#at + byteLength);
    this.#at += taken.length;
    return taken;
  }

  takeBits(bitCount: number): number {
    let value = 0;
    let scale = 1;
    let left = bitCount;
    for (; left > stepBits; left -= stepBits) {
      value += this.#takeStep(stepBits) * scale;
      scale *= stepSize;
    }
    return value + this.#takeStep(left) * scale;
  }

  #takeStep(bitCount: number): number {
    for (; this.#pendingBits < bitCount; this.#pendingBits += 8) {
      this.#pending |= this.takeByte() << this.#pendingBits;
    }
    const value = this.#pending & ((1 << bitCount) - 1);
    this.#pending >>>= bitCount;
    this.#pendingBits -= bitCount;
    return value;
  }

  endBits(): void {
    if (this.#pending !== 0) this.breakOff();
    this.#pending = 0;
    this.#pendingBits = 0;
  }
}

assert(divFloor(packedBitsMax + 6, 7) === varintBytesMax, "a largest number has so many bytes");
