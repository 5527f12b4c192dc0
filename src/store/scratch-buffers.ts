/**
 * Memory for what is looked at once: a few buffers that are used again, since a new one for each read costs more than the
 * reading of it. Whoever takes one gives it back; one that was lost on the way is only made anew.
 */
export class ScratchBuffers {
  readonly #bufferBytes: number;
  readonly #countMax: number;
  readonly #free: Buffer[] = [];

  constructor(options: { readonly bufferBytes: number; readonly countMax: number }) {
    this.#bufferBytes = options.bufferBytes;
    this.#countMax = options.countMax;
  }

  /** Of at least so many bytes, whatever is in them. */
  take(byteLength: number): Buffer {
    if (byteLength > this.#bufferBytes) return Buffer.allocUnsafeSlow(byteLength);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bufferBytes);
  }

  give(buffer: Buffer): void {
    if (buffer.length === this.#bufferBytes && this.#free.length < this.#countMax) this.#free.push(buffer);
  }
}
