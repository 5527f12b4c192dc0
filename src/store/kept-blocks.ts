/**
 * The blocks that a segment keeps while it is sealed, found by their fingerprints: so that a block that comes twice within
 * it is kept once, unless it has to be in another slot as well. Used again for the next segment, without new memory.
 *
 * Invariants: slots grow; what is found by a fingerprint is the first block that has it.
 */
import { assert } from "#src/core/assert.ts";
import { getLe32 } from "#src/core/little-endian.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import { slotsPerSegment } from "#src/records/address.ts";

const placeCount = 2 * slotsPerSegment;
const free = 0;

export class KeptBlocks {
  /** Of all kept blocks, behind each other. */
  readonly fingerprints = Buffer.alloc(slotsPerSegment * fingerprintBytes);
  readonly slots = new Uint16Array(slotsPerSegment);
  /** One more than an entry's number, at a place that its fingerprint names, or behind it. */
  readonly #places = new Uint32Array(placeCount);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  clear(): void {
    this.#places.fill(free);
    this.#count = 0;
  }

  /** Undefined: no block of this fingerprint is kept. */
  slotOf(fingerprint: Buffer, start: number): number | undefined {
    const entry = this.#places[this.#placeOf(fingerprint, start)] as number;
    return entry === free ? undefined : this.slots[entry - 1];
  }

  add(slot: number, fingerprint: Buffer, start: number): void {
    const place = this.#placeOf(fingerprint, start);
    assert(this.#count === 0 || slot > (this.slots[this.#count - 1] as number), "slots are sealed in their order");
    fingerprint.copy(this.fingerprints, this.#count * fingerprintBytes, start, start + fingerprintBytes);
    this.slots[this.#count] = slot;
    this.#count++;
    if (this.#places[place] === free) this.#places[place] = this.#count;
  }

  /** Where the fingerprint is, or would be. */
  #placeOf(fingerprint: Buffer, start: number): number {
    for (let place = getLe32(fingerprint, start) % placeCount; ; place = (place + 1) % placeCount) {
      const entry = this.#places[place] as number;
      if (entry === free || this.#isEntry(entry - 1, fingerprint, start)) return place;
    }
  }

  #isEntry(entry: number, fingerprint: Buffer, start: number): boolean {
    const at = entry * fingerprintBytes;
    return this.fingerprints.compare(fingerprint, start, start + fingerprintBytes, at, at + fingerprintBytes) === 0;
  }
}
