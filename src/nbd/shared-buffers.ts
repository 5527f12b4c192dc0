/**
 * The buffers that all connections of one thread share. A batch is handled in one go, so at any moment at most one
 * connection uses them, and between batches they are empty.
 */
import { nbdLandingBytes, nbdPorchBytes, nbdSlabBytes, nbdSlabsLentMax } from "#src/core/nbd-limits.ts";
import { TransferMemory } from "./memory.ts";

export class SharedBuffers {
  readonly memory: TransferMemory;
  /** Where a socket's next bytes arrive. */
  readonly landing: Buffer = Buffer.allocUnsafeSlow(nbdLandingBytes);
  /**
   * The part of the landing that an idle connection may fill. A thousand may do so after memory has become scarce, and
   * what they bring must then be put somewhere. The usual small request fits.
   */
  readonly porch: Buffer = this.landing.subarray(0, nbdPorchBytes);
  #slab: Buffer = Buffer.allocUnsafeSlow(nbdSlabBytes);
  readonly #spare: Buffer[] = [];
  readonly #lent = new Set<Buffer>();

  constructor(soon: (callback: () => void) => void) {
    this.memory = new TransferMemory(soon);
  }

  /** Where a batch's replies are gathered. */
  get slab(): Buffer {
    return this.#slab;
  }

  /** Whether a peer may be left with the slab itself, if it does not take it at once. */
  get mayLendSlab(): boolean {
    return this.#lent.size < nbdSlabsLentMax && !this.memory.scarce;
  }

  /** The slab is on its way to a peer that takes its time; another takes its place until `giveBack`. */
  lendSlab(): Buffer {
    const lent = this.#slab;
    this.#lent.add(lent);
    this.#slab = this.#spare.pop() ?? Buffer.allocUnsafeSlow(nbdSlabBytes);
    return lent;
  }

  /** Takes back a slab, or what `memory` gave. */
  giveBack(buffer: Buffer): void {
    if (this.#lent.delete(buffer)) this.#spare.push(buffer);
    else this.memory.give(buffer);
  }
}
