/**
 * Buffers that were read, as many bytes of them as are allowed; who was asked for longest ago goes first.
 *
 * Invariant: heldBytes <= limitBytes, unless a single one is larger: that one is not kept at all.
 */
export class BoundedCache<Key> {
  readonly #limitBytes: number;
  /** The one asked for last is last. */
  readonly #entries = new Map<Key, Buffer>();
  #heldBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get(key: Key): Buffer | undefined {
    const bytes = this.#entries.get(key);
    if (bytes === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, bytes);
    return bytes;
  }

  put(key: Key, bytes: Buffer): void {
    this.delete(key);
    if (bytes.length > this.#limitBytes) return;
    this.#entries.set(key, bytes);
    this.#heldBytes += bytes.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#heldBytes <= this.#limitBytes) return;
      this.delete(oldest);
    }
  }

  delete(key: Key): void {
    const bytes = this.#entries.get(key);
    if (bytes === undefined) return;
    this.#entries.delete(key);
    this.#heldBytes -= bytes.length;
  }
}
