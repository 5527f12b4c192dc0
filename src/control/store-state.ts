/** What the process that keeps the store tells of it, for the status. Plain data; times in milliseconds since 1970. */

import type { ScrubState } from "#src/journals/store-scrub.ts";
import type { CollectionDocument } from "#src/store/collection-document.ts";
import { isReadingHurt, isRemnant, type ScrubFinding } from "#src/store/scrub-finding.ts";
import { mergedRanges, type SlotRange, slotCountOf } from "#src/store/slot-ranges.ts";
import type { StoreSizes } from "#src/store/store-totals.ts";
import type { JobReport } from "./job.ts";
import type { KeeperCounts } from "./keeper-counts.ts";
import type { HistoryWindow } from "./kept-histories.ts";
import type { SynthesisFigures } from "./snapshot-lane.ts";
import type { KeptVolumes } from "./volume-quotas.ts";

export interface StoreState {
  /** For the metrics. */
  readonly counts?: KeeperCounts;
  /** Undefined: it was not counted yet. */
  readonly sizes: StoreSizes | undefined;
  /** When it was counted last. */
  readonly sizesMs: number | undefined;
  /** Told together with the sizes. */
  readonly windows: readonly HistoryWindow[];
  /** Undefined: it was not looked at yet. */
  readonly kept?: KeptVolumes | undefined;
  readonly scrub: {
    /** Undefined: none was finished yet. */
    readonly lastEndedMs: number | undefined;
    readonly isUnderWay: boolean;
    readonly findings: number;
    readonly damagedBlocks: number;
  };
  readonly synthesis: SynthesisFigures;
  readonly collection: {
    /** Undefined: there was none. */
    readonly lastMs: number | undefined;
    /** By the last one. */
    readonly freedBytes: number;
    readonly isUnderWay: boolean;
  };
}

/** Without what a crash leaves of a write, which nothing needs: no disk has damaged it, and it stays until its segment goes. */
export function scrubFacts({ round, last, findings, unlistedCount }: ScrubState): StoreState["scrub"] {
  const damages = findings.filter((finding) => !isRemnant(finding));
  return {
    lastEndedMs: last === undefined ? undefined : last.endedMicros / 1000,
    isUnderWay: round !== undefined,
    findings: damages.length + unlistedCount,
    damagedBlocks: unreadableCount(damages),
  };
}

function unreadableCount(findings: readonly ScrubFinding[]): number {
  const slots = new Map<string, SlotRange[]>();
  for (const finding of findings) {
    if (isReadingHurt(finding)) slots.set(finding.object, [...(slots.get(finding.object) ?? []), ...finding.slots]);
  }
  return [...slots.values()].reduce((sum, ranges) => sum + slotCountOf(mergedRanges(ranges)), 0);
}

export function collectionFacts(document: CollectionDocument | undefined): StoreState["collection"] {
  const outcome = document?.outcome;
  return {
    // What is only planned was not done.
    lastMs: document === undefined || document.state === "planned" ? undefined : document.madeMicros / 1000,
    freedBytes: outcome === undefined ? 0 : outcome.removedBytes - outcome.writtenBytes,
    isUnderWay: document?.state === "begun",
  };
}

/** With what the last collection has freed just as its job tells it, which may have ended one that was begun before it as well. */
export function withLastCollection(state: StoreState, jobs: readonly JobReport[]): StoreState {
  const last = jobs.findLast((job) => job.kind === "collect" && job.state === "done" && !job.dryRun);
  const freedBytes = last?.result?.figures.freedBytes;
  if (last?.ended === undefined || typeof freedBytes !== "number") return state;
  return { ...state, collection: { ...state.collection, lastMs: Date.parse(last.ended), freedBytes } };
}
