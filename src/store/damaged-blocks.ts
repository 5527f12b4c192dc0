/**
 * Which blocks of the store are known to be damaged. Nothing new points to one of them: what is written with the same content
 * is kept anew, and is then what the damaged one can be repaired from.
 */
import { segmentOf, slotOf } from "#src/records/address.ts";
import { mergedRanges, rangesHave, type SlotRange, slotCountOf } from "./slot-ranges.ts";

export class DamagedBlocks {
  readonly #unreadable = new Map<number, readonly SlotRange[]>();
  /** Of which it is not known any more what they are, though they are read. */
  readonly #unknown = new Map<number, readonly SlotRange[]>();

  /** All that is known of the segment. */
  set(segment: number, unreadable: readonly SlotRange[], unknown: readonly SlotRange[] = []): void {
    put(this.#unreadable, segment, unreadable);
    put(this.#unknown, segment, unknown);
  }

  /** Nothing new should point to it. */
  has(address: number): boolean {
    return this.isUnreadable(address) || isIn(this.#unknown, address);
  }

  isUnreadable(address: number): boolean {
    return isIn(this.#unreadable, address);
  }

  /** That cannot be read. */
  get blockCount(): number {
    let count = 0;
    for (const ranges of this.#unreadable.values()) count += slotCountOf(ranges);
    return count;
  }

  get isEmpty(): boolean {
    return this.#unreadable.size === 0 && this.#unknown.size === 0;
  }
}

function put(map: Map<number, readonly SlotRange[]>, segment: number, ranges: readonly SlotRange[]): void {
  if (ranges.length === 0) map.delete(segment);
  else map.set(segment, mergedRanges(ranges));
}

function isIn(map: ReadonlyMap<number, readonly SlotRange[]>, address: number): boolean {
  const ranges = map.size === 0 ? undefined : map.get(segmentOf(address));
  return ranges !== undefined && rangesHave(ranges, slotOf(address));
}
