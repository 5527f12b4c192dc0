/**
 * The buffers that all connections of one thread share. A batch is handled in one go, so at any moment at most one
 * connection uses them, and between batches they are empty.
 */
import { nbdLandingBytes, nbdSlabBytes } from "#src/core/limits.ts";
import { TransferMemory } from "./memory.ts";

export class SharedBuffers {
  readonly memory: TransferMemory;
  /** Where a socket's next bytes arrive. */
  readonly landing: Buffer = Buffer.allocUnsafeSlow(nbdLandingBytes);
  #slab: Buffer = Buffer.allocUnsafeSlow(nbdSlabBytes);

  constructor(soon: (callback: () => void) => void) {
    this.memory = new TransferMemory(soon);
  }

  /** Where a batch's replies are gathered. */
  get slab(): Buffer {
    return this.#slab;
  }

  /** The slab is on its way to a peer that takes its time: hands it over, to be given back to `memory`. */
  giveUpSlab(): Buffer {
    const given = this.#slab;
    this.#slab = this.memory.take(nbdSlabBytes);
    return given;
  }
}
