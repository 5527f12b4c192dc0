/**
 * Blocks that a collection may remove: nothing new points to them, whatever the index says of them. That the index forgets
 * them would not be enough: it may be rebuilt from directories, or an older copy of it be put back, at any time.
 *
 * Invariant: whatever is removed was here from before the last look at who needs it until it is gone, and no sealing that
 * began before it was here went on behind that look.
 */
import { segmentOf, slotOf } from "#src/records/address.ts";

export class DyingBlocks {
  readonly #held = new Map<number, (slot: number) => boolean>();

  /** Of a segment all slots, or those of which it says so. */
  hold(segment: number, isDying: (slot: number) => boolean = () => true): void {
    this.#held.set(segment, isDying);
  }

  release(segment: number): void {
    this.#held.delete(segment);
  }

  has(address: number): boolean {
    return this.#held.size > 0 && this.#held.get(segmentOf(address))?.(slotOf(address)) === true;
  }
}
