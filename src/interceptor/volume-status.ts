/** What a volume says of itself to whoever watches it: plain data. */
import { hasLostWrites } from "./completion.ts";
import type { CopyProgress } from "./copy-regions.ts";
import { isToldByAppliance } from "./link-loss.ts";
import type { RegionMapFile } from "./region-map-file.ts";
import type { Source } from "./source.ts";
import type { WritePath } from "./write-path.ts";

export interface VolumeStatus {
  /**
   * `stalled`: writers wait for the local appliance. `tracking`: the volume goes on without it, unprotected. `fenced`:
   * writes fail until a person has looked. `redoing`: the source is brought to where it should be. `full`: the source
   * has no room for what it has to get, or the disk of the region map none for that.
   */
  readonly state: "open" | "redoing" | "stalled" | "tracking" | "full" | "fenced" | "stopped";
  /** Why it is not `open`. */
  readonly why?: string;
  /** Where it is fenced. `group`: for what its group has said alone. `volume`: a person must look at its source or region map. */
  readonly fencedBy?: "group" | "volume";
  /** The source is being copied into the order; until that is done, no point is a true state of the volume. */
  readonly copy?: CopyProgress;
  /** What the source held before it was protected is not all in the order yet. */
  readonly baseMissing: boolean;
  /** Writers wait for room, or are slowed. */
  readonly isWaiting: boolean;
  /** The highest ordinal handed over; and up to which all are acknowledged, in the source, durable in the source. */
  readonly addedOrdinal: number;
  readonly acknowledgedOrdinal: number;
  readonly appliedOrdinal: number;
  readonly durableOrdinal: number;
  /** Somebody waits for a flush, or for a write that is to be durable; and how many rounds of these have ended. */
  readonly isFlushAwaited: boolean;
  /** All who wait for one do so for the end of the resync alone: in sync it is promised to be at the remote. */
  readonly isFlushHeld: boolean;
  readonly flushRounds: number;
  /** Payload that was handed over and is not in the source yet. */
  readonly inFlightBytes: number;
  readonly regionBytes: number;
  readonly markedRegions: number;
}

const fullInWords = "the source is full: it goes on by itself when there is room";

export function volumeStatus(
  condition: "open" | "redoing" | "fenced" | "stopped",
  why: Error | undefined,
  path: WritePath | undefined,
  mapFile: RegionMapFile | undefined,
  source: Source | undefined,
): VolumeStatus {
  const linkState = path?.keeper.state;
  const isAway = condition === "open" && (linkState === "stalled" || linkState === "tracking");
  const lack = condition === "open" ? (path?.isSourceFull === true ? fullInWords : mapFile?.lackOfRoom) : undefined;
  const reason = isAway
    ? [path?.keeper.why, lack].filter((part) => part !== undefined).join("; ")
    : (lack ?? why?.message);
  const progress = path?.copy.progress;
  return {
    state: isAway ? linkState : lack === undefined ? condition : "full",
    ...(reason === undefined ? {} : { why: reason }),
    ...(condition === "fenced" ? { fencedBy: fencedBy(why, source) } : {}),
    ...(progress === undefined ? {} : { copy: progress }),
    baseMissing: mapFile !== undefined && mapFile.state.base !== "complete",
    isWaiting: path?.isWaiting ?? false,
    addedOrdinal: path?.flight.lastOrdinal ?? 0,
    acknowledgedOrdinal: path?.flight.acknowledgedOrdinal ?? 0,
    appliedOrdinal: path?.flight.appliedOrdinal ?? 0,
    durableOrdinal: mapFile?.state.durableOrdinal ?? 0,
    isFlushAwaited: path?.flushes.isAwaited ?? false,
    isFlushHeld: path?.flushes.isHeld ?? false,
    flushRounds: path?.flushes.endedCount ?? 0,
    inFlightBytes: path?.flight.payloadBytes ?? 0,
    regionBytes: mapFile?.map.regionBytes ?? 0,
    markedRegions: mapFile?.map.markedCount ?? 0,
  };
}

/** What the source has lost since is no matter of the group. */
function fencedBy(why: Error | undefined, source: Source | undefined): "group" | "volume" {
  if (why === undefined || !isToldByAppliance(why)) return "volume";
  return source !== undefined && hasLostWrites(source) ? "volume" : "group";
}
