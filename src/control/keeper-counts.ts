/** What the process that keeps the store has counted since it began, for the metrics. Plain data. */
import type { DurationFigures } from "#src/core/duration-counts.ts";
import type { ScrubState } from "#src/journals/store-scrub.ts";
import type { Collection } from "#src/store/collection.ts";
import type { SegmentStore } from "#src/store/segment-store.ts";
import type { KeptHistories } from "./kept-histories.ts";
import type { SnapshotLane } from "./snapshot-lane.ts";

export interface KeeperCounts {
  /** Blocks that were fingerprinted to be sealed. */
  readonly fingerprints: number;
  /** Of the store's disk, when the store was counted last. Undefined: it is not known. */
  readonly freeBytes: number | undefined;
  readonly scrubCheckedBytes: number;
  readonly scrubRepairs: number;
  readonly scrubFlaws: number;
  readonly collectFreedBytes: number;
  readonly collectWrittenBytes: number;
  readonly syntheses: DurationFigures;
}

export interface CountingParts {
  readonly store: Pick<SegmentStore, "fingerprintCount">;
  readonly histories: Pick<KeptHistories, "freeBytes">;
  readonly scrub: { readonly state: ScrubState };
  readonly collection: Pick<Collection, "figures">;
}

export function keeperCounts(
  { store, histories, scrub, collection }: CountingParts,
  lane: Pick<SnapshotLane, "durations">,
): KeeperCounts {
  const { checkedBytes, repairedCount, flawCount } = scrub.state;
  const { freedBytes, writtenBytes } = collection.figures;
  return {
    fingerprints: store.fingerprintCount,
    freeBytes: histories.freeBytes,
    ...{ scrubCheckedBytes: checkedBytes, scrubRepairs: repairedCount, scrubFlaws: flawCount ?? 0 },
    ...{ collectFreedBytes: freedBytes, collectWrittenBytes: writtenBytes },
    syntheses: lane.durations,
  };
}
