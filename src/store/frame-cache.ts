/**
 * Frames that were read one by one, in memory that is made once and used again: to make it for each frame, and to have it
 * taken away, costs as much as to read the frame. Whoever asks for one only sets a flag; a hand goes round over all, and one that was
 * not asked for since it last came by makes way.
 *
 * Invariants: a place is free, lent, or holds the frame of one key; what a place holds stays as it is until something is
 * lent.
 */
import { assert } from "#src/core/assert.ts";

const placesPerSlab = 64;
/** In the place of a key: it is free, or lent. */
const noKey = -1;

export class FrameCache {
  readonly #frameBytesMax: number;
  readonly #placeCountMax: number;
  /** By place. */
  readonly #rooms: Buffer[] = [];
  readonly #sizes: Uint32Array;
  readonly #keys: Float64Array;
  readonly #isUsed: Uint8Array;
  /** By key. */
  readonly #places = new Map<number, number>();
  readonly #free: number[] = [];
  #hand = 0;

  constructor(options: { readonly frameBytesMax: number; readonly limitBytes: number }) {
    this.#frameBytesMax = options.frameBytesMax;
    this.#placeCountMax = Math.floor(options.limitBytes / options.frameBytesMax);
    this.#sizes = new Uint32Array(this.#placeCountMax);
    this.#keys = new Float64Array(this.#placeCountMax).fill(noKey);
    this.#isUsed = new Uint8Array(this.#placeCountMax);
  }

  /** Whether in use or not. */
  get heldBytes(): number {
    return this.#rooms.length * this.#frameBytesMax;
  }

  find(key: number): number | undefined {
    const place = this.#places.get(key);
    if (place !== undefined) this.#isUsed[place] = 1;
    return place;
  }

  roomOf(place: number): Buffer {
    return this.#rooms[place] as Buffer;
  }

  /** Of the frame that it holds. */
  sizeOf(place: number): number {
    return this.#sizes[place] as number;
  }

  /** A place for a frame that is going to be read. Undefined: all are lent. */
  lend(): number | undefined {
    if (this.#free.length === 0) this.#grow();
    return this.#free.pop() ?? this.#takeAway();
  }

  #takeAway(): number | undefined {
    // In the first round the hand may clear all flags.
    for (let looked = 0; looked < 2 * this.#rooms.length; looked++) {
      const place = this.#hand;
      this.#hand = place + 1 === this.#rooms.length ? 0 : place + 1;
      const key = this.#keys[place] as number;
      if (key === noKey) continue;
      if (this.#isUsed[place] === 1) {
        this.#isUsed[place] = 0;
        continue;
      }
      this.#places.delete(key);
      this.#keys[place] = noKey;
      return place;
    }
    return undefined;
  }

  /** It was lent, and has this frame now. */
  keep(place: number, key: number, sizeBytes: number): void {
    assert(sizeBytes > 0 && sizeBytes <= this.#frameBytesMax, "a frame fits into its place");
    // Two may have read the same at the same time.
    const other = this.#places.get(key);
    if (other !== undefined) {
      this.#keys[other] = noKey;
      this.#free.push(other);
    }
    this.#places.set(key, place);
    this.#keys[place] = key;
    this.#isUsed[place] = 0;
    this.#sizes[place] = sizeBytes;
  }

  /** It was lent, and nothing came of it. */
  giveBack(place: number): void {
    this.#free.push(place);
  }

  #grow(): void {
    const count = Math.min(placesPerSlab, this.#placeCountMax - this.#rooms.length);
    const slab = Buffer.allocUnsafeSlow(count * this.#frameBytesMax);
    const first = this.#rooms.length;
    for (let index = 0; index < count; index++) {
      this.#rooms.push(slab.subarray(index * this.#frameBytesMax, (index + 1) * this.#frameBytesMax));
      // The first one is lent first, as the hand comes by.
      this.#free.push(first + count - 1 - index);
    }
  }
}
