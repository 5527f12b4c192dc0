/** How the store stands, as it is answered. */
import type { DurationFigures } from "#src/core/duration-counts.ts";
import type { LevelCost, ReachForecast } from "#src/synth/reach-forecast.ts";
import type { KeeperCounts } from "../../../keeper-counts.ts";
import type { StoreState } from "../../../store-state.ts";
import type { KeptVolume, KeptVolumes } from "../../../volume-quotas.ts";
import { count, flag, list, number, object, optional, words } from "../../schema.ts";

export const sizes = {
  segmentCount: count("sealed data segments"),
  logicalBytes: count("of blocks that were written, however often they have the same content"),
  uniqueBytes: count("of blocks that are kept"),
  physicalBytes: count("of the objects"),
  damagedBlocks: count("that cannot be read"),
};

const milliseconds = (what: string) => number(`${what}, in milliseconds since 1970`);

const counts = object<KeeperCounts>({
  fingerprints: count("blocks that were fingerprinted to be sealed"),
  freeBytes: optional(count("of the store's disk, when the store was counted last")),
  scrubCheckedBytes: count("that scrubs have checked"),
  scrubRepairs: count("what they have repaired"),
  scrubFlaws: count("what was met damaged"),
  collectFreedBytes: count("that collections have given back"),
  collectWrittenBytes: count("that they have written anew"),
  syntheses: object<DurationFigures>({
    boundsSeconds: list(number("in seconds"), "each the upper bound of a bucket"),
    counts: list(count("snapshots that took no longer"), "of each bucket; last those beyond all"),
    seconds: number("that all of them took"),
  }),
});

const forecast = object<ReachForecast>({
  spanSeconds: number("of what is kept now"),
  roomSeconds: number("so far back it would reach"),
  isShort: flag("less than is to be kept"),
  isAtLeast: flag("it reaches further: of some of it no cost is measured yet"),
  costs: list(
    object<LevelCost>({
      level: number("seconds between points; 0: every write is one"),
      fromAgeSeconds: number("of what is so old"),
      bytesPerDay: number("that it costs"),
      isMeasured: flag(
        "otherwise not of each group any is so old yet, and it is taken for as dear as what is younger of it",
      ),
    }),
    "the youngest first",
  ),
});

const kept = object<KeptVolumes>({
  asOfMs: milliseconds("when that was looked at"),
  volumes: list(
    object<KeptVolume>({
      group: words("its name, or its id"),
      volume: words("its name, or its number"),
      keptBytes: count("of blocks that its points need, however often others have the same content"),
      quotaBytes: optional(count("its quota")),
    }),
    "those over their quota first, then those of which most is kept",
  ),
  unlistedCount: count("so many more"),
});

export const storeState = object<StoreState>({
  counts: optional(counts),
  sizes: optional(object<NonNullable<StoreState["sizes"]>>(sizes)),
  sizesMs: optional(milliseconds("when that was counted")),
  windows: list(
    object<StoreState["windows"][number]>({
      group: words("its id"),
      fromSeq: count("the oldest record that is kept"),
      oldestMicros: optional(number("of that record, in microseconds since 1970")),
      forecast: optional(forecast),
    }),
    "how far back each group can be had",
  ),
  kept: optional(kept),
  scrub: object<StoreState["scrub"]>({
    lastEndedMs: optional(milliseconds("when the last one ended")),
    isUnderWay: flag("one is under way"),
    findings: count("that were not repaired"),
    damagedBlocks: count("of these"),
  }),
  synthesis: object<StoreState["synthesis"]>({
    made: count("snapshots since the start"),
    failed: count("that could not be made"),
    seconds: number("that making them took"),
    lastSeconds: number("that the last one took"),
    pointersToJournal: count("to blocks in the journals"),
    pointersToSnapshots: count("into earlier snapshots"),
    writtenBytes: count("of their objects"),
  }),
  collection: object<StoreState["collection"]>({
    lastMs: optional(milliseconds("when the last one was")),
    freedBytes: number("by the last one"),
    isUnderWay: flag("one is under way"),
  }),
});
