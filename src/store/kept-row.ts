/** What a segment keeps, in the order of its slots, for whoever writes it and does not look for duplicates. */
import { assert } from "#src/core/assert.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import type { KeptList } from "./segment-builder.ts";

export class KeptRow implements KeptList {
  readonly fingerprints: Buffer;
  readonly slots: Uint16Array;
  #count = 0;

  /** Of a segment with so many slots. */
  constructor(slotCount: number) {
    this.fingerprints = Buffer.alloc(slotCount * fingerprintBytes);
    this.slots = new Uint16Array(slotCount);
  }

  get count(): number {
    return this.#count;
  }

  add(slot: number, fingerprint: Buffer, start: number): void {
    assert(this.#count === 0 || slot > (this.slots[this.#count - 1] as number), "slots come in their order");
    fingerprint.copy(this.fingerprints, this.#count * fingerprintBytes, start, start + fingerprintBytes);
    this.slots[this.#count++] = slot;
  }
}
