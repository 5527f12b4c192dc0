/**
 * Forwards that lead to nothing. Where something has been collected that is nothing bad: what nobody needs any more is left
 * as it is in segments that are not worth writing anew. So only who needs them says whether they are damage.
 */
import { segmentOf, slotOf, slotsPerSegment } from "#src/records/address.ts";
import type { LiveBlocks, LiveMarks } from "./live-blocks.ts";
import type { SegmentIdentity } from "./segment-format.ts";
import { mergedRanges, type SlotRange } from "./slot-ranges.ts";
import type { WorkControl } from "./work-control.ts";

export interface Stray {
  readonly slot: number;
  /** What was found, in words. */
  readonly finding: string;
}

export interface NeededStrays {
  readonly identity: SegmentIdentity;
  readonly slots: readonly SlotRange[];
  /** Of one of them. */
  readonly finding: string;
}

interface StraysOfSegment {
  readonly identity: SegmentIdentity;
  readonly strays: readonly Stray[];
  /** By slot: 1 is a stray, 2 one that is needed. */
  readonly states: Uint8Array;
}

export class StrayForwards implements LiveMarks {
  readonly #segments = new Map<number, StraysOfSegment>();

  /** All that the segment has. */
  set(identity: SegmentIdentity, strays: readonly Stray[]): void {
    this.#segments.delete(identity.segment);
    if (strays.length === 0) return;
    const states = new Uint8Array(slotsPerSegment);
    for (const { slot } of strays) states[slot] = 1;
    this.#segments.set(identity.segment, { identity, strays, states });
  }

  /** What was found in a segment that has gone since, or in an earlier generation of it, says nothing any more. */
  keepOnly(isThere: (identity: SegmentIdentity) => boolean): void {
    for (const [segment, { identity }] of this.#segments) if (!isThere(identity)) this.#segments.delete(segment);
  }

  get isEmpty(): boolean {
    return this.#segments.size === 0;
  }

  mark(address: number, blockCount: number): void {
    const end = address + blockCount;
    for (let segment = segmentOf(address); segment <= segmentOf(end - 1); segment++) {
      const states = this.#segments.get(segment)?.states;
      if (states === undefined) continue;
      const first = segment === segmentOf(address) ? slotOf(address) : 0;
      const last = segment === segmentOf(end - 1) ? slotOf(end - 1) : slotsPerSegment - 1;
      for (let slot = first; slot <= last; slot++) if (states[slot] === 1) states[slot] = 2;
    }
  }

  /** Those that a point needs. Rejects as `markLive` does. */
  async needed(live: LiveBlocks, control: WorkControl): Promise<NeededStrays[]> {
    const settled = await live.markLive(this, control);
    const needed: NeededStrays[] = [];
    for (const { identity, strays, states } of this.#segments.values()) {
      const isOpen = !settled.has(identity.segment);
      const left = strays.filter(({ slot }) => isOpen || states[slot] === 2);
      const [first] = left;
      if (first === undefined) continue;
      const slots = mergedRanges(left.map(({ slot }) => ({ slot, count: 1 })));
      needed.push({ identity, slots, finding: first.finding });
    }
    return needed;
  }
}
