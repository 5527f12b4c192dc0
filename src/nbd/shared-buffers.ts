/**
 * The buffers that all connections of one thread share. A batch is handled in one go, so at any moment at most one
 * connection uses them, and between batches they are empty.
 */
import { nbdLandingBytes, nbdPorchBytes, nbdSlabBytes, nbdSlabsLentMax } from "#src/core/nbd-limits.ts";
import type { NbdExport } from "./export.ts";
import { MemoryShare, TransferMemory } from "./memory.ts";

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
  readonly #shares = new WeakMap<NbdExport, MemoryShare>();

  constructor(soon: (callback: () => void) => void) {
    this.memory = new TransferMemory(soon);
  }

  /** What all connections of an export take their memory from. */
  shareOf(target: NbdExport): MemoryShare {
    const share = this.#shares.get(target) ?? new MemoryShare(this.memory);
    this.#shares.set(target, share);
    return share;
  }

  /** Where a batch's replies are gathered. */
  get slab(): Buffer {
    return this.#slab;
  }

  /** Whether a peer may be left with the slab itself, if it does not take it at once. */
  get mayLendSlab(): boolean {
    return this.#lent.size < nbdSlabsLentMax && !this.memory.scarce;
  }

  /** The slab is on its way to a peer that takes its time; another takes its place until `takeSlabBack`. */
  lendSlab(): Buffer {
    const lent = this.#slab;
    this.#lent.add(lent);
    this.#slab = this.#spare.pop() ?? Buffer.allocUnsafeSlow(nbdSlabBytes);
    return lent;
  }

  /** False: it is no slab. */
  takeSlabBack(buffer: Buffer): boolean {
    if (!this.#lent.delete(buffer)) return false;
    this.#spare.push(buffer);
    return true;
  }
}
