/**
 * Which segments a collection is going to remove or to write anew, and why the others stay. Pure: of the same facts the same
 * plan.
 *
 * Invariants: the newest segment stays, since numbers go on behind it; a segment of which not all is known stays; no more
 * than `collectionSegmentsMax` are planned at a time, those first that free most for what has to be written.
 */
import {
  collectedShareMin,
  collectedShareMinInNeed,
  collectionLeftMax,
  collectionSegmentsMax,
} from "#src/core/store-limits.ts";
import type { SegmentFacts } from "./collection-facts.ts";
import { generationMax } from "./segment-format.ts";

export interface CollectionWish {
  /** So much is to be free afterwards that is not yet: then less is worth it, as far as that needs it. */
  readonly neededBytes: number;
}

export const planActions = ["remove", "rewrite"] as const;
export type PlanAction = (typeof planActions)[number];

/** Why a segment stays as it is. */
export const leftReasons = [
  /** Nothing of it is free. */
  "allNeeded",
  /** Too little of it is. */
  "notWorthIt",
  /** Not all that may point to it is in sealed pieces yet. */
  "unsettled",
  /** The numbers of segments go on behind it. */
  "newest",
  /** Its directory is damaged: repair comes first. */
  "unreadable",
  /** It has been written anew as often as can be. */
  "lastGeneration",
  /** The plan is full; the next one will have it. */
  "later",
] as const;
export type LeftReason = (typeof leftReasons)[number];

export interface PlannedSegment {
  readonly segment: number;
  readonly generation: number;
  readonly action: PlanAction;
  readonly objectBytes: number;
  readonly freedBytes: number;
  /** Slots with something in them. */
  readonly liveCount: number;
  readonly deadCount: number;
}

export interface LeftSegment {
  readonly segment: number;
  readonly reason: LeftReason;
  readonly objectBytes: number;
  /** What would be free of it. */
  readonly freedBytes: number;
}

export interface LeftSum {
  readonly reason: LeftReason;
  readonly segmentCount: number;
  readonly objectBytes: number;
  readonly freedBytes: number;
}

export interface CollectionPlan {
  readonly neededBytes: number;
  /** Most gain first. */
  readonly segments: readonly PlannedSegment[];
  readonly sums: readonly LeftSum[];
  /** Of those that stay, the ones with most to be free. */
  readonly left: readonly LeftSegment[];
}

/** Takes the facts one by one, and keeps what it needs of them. */
export class CollectionPlanner {
  readonly #newest: number;
  readonly #wish: CollectionWish;
  readonly #worth: PlannedSegment[] = [];
  /** Worth it only in need. */
  readonly #perhaps: PlannedSegment[] = [];
  readonly #left: LeftSegment[] = [];
  readonly #sums = new Map<LeftReason, LeftSum>();

  constructor(newest: number, wish: CollectionWish) {
    this.#newest = newest;
    this.#wish = wish;
  }

  add(facts: SegmentFacts): void {
    const reason = this.#staysBecause(facts);
    if (reason !== undefined) {
      this.#leave(facts, reason);
      return;
    }
    const { segment, generation, objectBytes, freedBytes, liveCount, deadCount } = facts;
    const action = facts.isNeeded ? "rewrite" : "remove";
    const planned: PlannedSegment = { segment, generation, action, objectBytes, freedBytes, liveCount, deadCount };
    if (shareOf(facts) >= collectedShareMin) this.#worth.push(planned);
    else this.#perhaps.push(planned);
  }

  #staysBecause({ segment, generation, ...facts }: SegmentFacts): LeftReason | undefined {
    if (segment === this.#newest) return "newest";
    if (facts.isUnsettled) return "unsettled";
    if (facts.isUnreadable) return "unreadable";
    if (facts.freedBytes === 0) return "allNeeded";
    if (facts.isNeeded && generation === generationMax) return "lastGeneration";
    return undefined;
  }

  planned(): CollectionPlan {
    this.#worth.sort(byGain);
    this.#perhaps.sort(byGain);
    let freedBytes = this.#worth.reduce((sum, planned) => sum + planned.freedBytes, 0);
    const segments = [...this.#worth];
    for (const planned of this.#perhaps) {
      const isNeeded = freedBytes < this.#wish.neededBytes && shareOf(planned) >= collectedShareMinInNeed;
      if (isNeeded) segments.push(planned);
      else this.#leave(planned, "notWorthIt");
      if (isNeeded) freedBytes += planned.freedBytes;
    }
    for (const planned of segments.splice(collectionSegmentsMax)) this.#leave(planned, "later");
    this.#left.sort(byFreed);
    return {
      neededBytes: this.#wish.neededBytes,
      segments,
      sums: leftReasons.flatMap((reason) => this.#sums.get(reason) ?? []),
      left: this.#left.slice(0, collectionLeftMax),
    };
  }

  #leave({ segment, objectBytes, freedBytes }: Omit<LeftSegment, "reason">, reason: LeftReason): void {
    const sum = this.#sums.get(reason) ?? { reason, segmentCount: 0, objectBytes: 0, freedBytes: 0 };
    this.#sums.set(reason, {
      reason,
      segmentCount: sum.segmentCount + 1,
      objectBytes: sum.objectBytes + objectBytes,
      freedBytes: sum.freedBytes + freedBytes,
    });
    if (reason !== "allNeeded") this.#left.push({ segment, reason, objectBytes, freedBytes });
    if (this.#left.length < 2 * collectionLeftMax) return;
    this.#left.sort(byFreed).length = collectionLeftMax;
  }
}

interface Gain {
  readonly segment: number;
  readonly objectBytes: number;
  readonly freedBytes: number;
}

function shareOf({ objectBytes, freedBytes }: Omit<Gain, "segment">): number {
  return freedBytes / objectBytes;
}

/** What has to be written for it is the rest of the object. */
function byGain(a: Gain, b: Gain): number {
  return shareOf(b) - shareOf(a) || b.freedBytes - a.freedBytes || a.segment - b.segment;
}

function byFreed(a: LeftSegment, b: LeftSegment): number {
  return b.freedBytes - a.freedBytes || a.segment - b.segment;
}
