/**
 * Makes frames of the bytes that come in, in one piece of memory that is used over and over:
 *
 *     [ handed on | a frame's beginning | room ............ ]
 *                 ^start                ^end
 *
 * A frame is handed on where it landed. Only the beginning of one that is not whole is ever moved, to the front, when
 * there is not enough room behind it.
 *
 * Invariants: start <= end < buffer.length between reads; buffer.length <= header + bodyBytesMax, rounded up.
 */
import { assert } from "#src/core/assert.ts";
import { ReconnectError } from "#src/core/errors.ts";
import {
  wireBulkBytesMax,
  wireFrameHeaderBytes,
  wireHandshakeBytesMax,
  wireMoveBytesMax,
  wireReceiveBytesMin,
} from "#src/core/limits.ts";
import { type FrameHeader, type FrameType, getFrameHeader, hasSoundBody, nextFrameNumber } from "./frame.ts";

/** Takes a whole frame, whose body lies in the range until this returns. Answers whether reading goes on. */
export type TakeFrame = (type: FrameType, bytes: Buffer, start: number, end: number) => boolean;

const strangerBytes = wireFrameHeaderBytes + wireHandshakeBytesMax;

export class FrameReader {
  #buffer = Buffer.allocUnsafeSlow(strangerBytes);
  #start = 0;
  #end = 0;
  #number = 0;
  /** Of the frame at `start`, as soon as it is known. */
  #header: FrameHeader | undefined;
  #bodyBytesMax = wireHandshakeBytesMax;
  #sawLargeFrame = false;
  #wantsLess = false;

  /** Memory held. */
  get heldBytes(): number {
    return this.#buffer.length;
  }

  /** The peer has proved who it is, and may send what is large. */
  trust(): void {
    this.#bodyBytesMax = wireBulkBytesMax;
  }

  /** Where the next bytes shall land. */
  target(): Buffer {
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
      if (this.#bodyBytesMax > wireHandshakeBytesMax) this.#suitSize();
    }
    return this.#end === 0 ? this.#buffer : this.#buffer.subarray(this.#end);
  }

  #suitSize(): void {
    const isTooSmall = this.#buffer.length < wireReceiveBytesMin;
    if (isTooSmall || (this.#wantsLess && this.#buffer.length > wireReceiveBytesMin)) {
      this.#buffer = Buffer.allocUnsafeSlow(wireReceiveBytesMin);
    }
    this.#wantsLess = false;
  }

  /** Called now and then: memory that nothing has needed since the last call is given back at the next chance. */
  rest(): void {
    this.#wantsLess = !this.#sawLargeFrame;
    this.#sawLargeFrame = false;
  }

  /** So many bytes landed where `target` said. Throws what `getFrameHeader` throws, and what `take` does. */
  received(byteLength: number, take: TakeFrame): void {
    this.#end += byteLength;
    assert(this.#end <= this.#buffer.length, "bytes land where there is room for them");
    while (this.#takeOne(take));
    this.#makeRoom();
  }

  #takeOne(take: TakeFrame): boolean {
    const start = this.#start;
    if (this.#end - start < wireFrameHeaderBytes) return false;
    this.#header ??= getFrameHeader(this.#buffer, start, this.#number, this.#bodyBytesMax);
    const { type, bodyBytes } = this.#header;
    const bodyAt = start + wireFrameHeaderBytes;
    if (this.#end - bodyAt < bodyBytes) return false;
    if (!hasSoundBody(this.#buffer, start, this.#header)) {
      throw new ReconnectError("a frame was altered on its way");
    }
    this.#number = nextFrameNumber(this.#number);
    this.#header = undefined;
    this.#start = bodyAt + bodyBytes;
    if (wireFrameHeaderBytes + bodyBytes > wireReceiveBytesMin) this.#needsSize();
    return take(type, this.#buffer, bodyAt, bodyAt + bodyBytes);
  }

  #needsSize(): void {
    this.#sawLargeFrame = true;
    this.#wantsLess = false;
  }

  /** The frame at `start` gets a place where it fits as a whole. */
  #makeRoom(): void {
    const wantedBytes = wireFrameHeaderBytes + (this.#header?.bodyBytes ?? 0);
    const hereBytes = this.#end - this.#start;
    const fits = this.#start + wantedBytes <= this.#buffer.length && this.#end < this.#buffer.length;
    if (this.#start === 0 && fits) return;
    if (fits && hereBytes > wireMoveBytesMax) return;
    const source = this.#buffer;
    if (wantedBytes > source.length) this.#buffer = Buffer.allocUnsafeSlow(sizeFor(wantedBytes));
    source.copy(this.#buffer, 0, this.#start, this.#end);
    this.#start = 0;
    this.#end = hereBytes;
  }
}

/** Doubled sizes, so that a row of frames that grow does not ask for memory each time. */
function sizeFor(wantedBytes: number): number {
  const doubled = 2 ** Math.ceil(Math.log2(wantedBytes));
  return Math.max(wantedBytes, Math.min(doubled, wireFrameHeaderBytes + wireBulkBytesMax));
}
