/** A log's files as a reading recovery sees them, and the piece of one of them that lies in memory. */
import { batchBytesMax } from "#src/core/limits.ts";

export interface LogPart {
  readonly path: string;
  /** Undefined: the file's header does not tell. */
  readonly basePosition: number | undefined;
  readonly sizeBytes: number;
  /** As a file handle does it. */
  readNow(buffer: Buffer, start: number, lengthBytes: number, offset: number): number;
}

export class LogWindow {
  readonly buffer = Buffer.allocUnsafeSlow(2 * batchBytesMax);
  #part: LogPart | undefined;
  #offset = 0;
  #byteLength = 0;
  #loadCount = 0;

  get loadCount(): number {
    return this.#loadCount;
  }

  /** Answers where in `buffer` these bytes lie, at most half of it. Behind the end of the file there are zeros. */
  at(part: LogPart, offset: number, lengthBytes: number): number {
    const isThere = part === this.#part && offset >= this.#offset;
    if (isThere && offset + lengthBytes <= this.#offset + this.#byteLength) return offset - this.#offset;
    this.#part = undefined;
    const wanted = Math.max(0, Math.min(this.buffer.length, part.sizeBytes - offset));
    const count = wanted === 0 ? 0 : part.readNow(this.buffer, 0, wanted, offset);
    if (count < lengthBytes) this.buffer.fill(0, count, lengthBytes);
    this.#part = part;
    this.#offset = offset;
    this.#byteLength = Math.max(count, lengthBytes);
    this.#loadCount++;
    return 0;
  }
}
