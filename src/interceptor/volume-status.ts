/** What a volume says of itself to whoever watches it: plain data. */
import type { RegionMapFile } from "./region-map-file.ts";
import type { ResyncProgress } from "./resync.ts";
import type { WritePath } from "./write-path.ts";

export interface VolumeStatus {
  /**
   * `stalled`: writers wait for the local appliance. `tracking`: the volume goes on without it, unprotected. `fenced`:
   * writes fail until a person has looked. `redoing`: the source is brought to where it should be.
   */
  readonly state: "open" | "redoing" | "stalled" | "tracking" | "fenced" | "stopped";
  /** Why it is not `open`. */
  readonly why?: string;
  /** The marked regions are being journaled anew; until that is done, no point is a true state of the volume. */
  readonly resync?: ResyncProgress;
  /** Writers wait for room, or are slowed. */
  readonly isWaiting: boolean;
  /** The highest ordinal handed over; and up to which all are acknowledged, in the source, durable in the source. */
  readonly addedOrdinal: number;
  readonly acknowledgedOrdinal: number;
  readonly appliedOrdinal: number;
  readonly durableOrdinal: number;
  /** Payload that was handed over and is not in the source yet. */
  readonly inFlightBytes: number;
  readonly regionBytes: number;
  readonly markedRegions: number;
}

export function volumeStatus(
  condition: "open" | "redoing" | "fenced" | "stopped",
  why: Error | undefined,
  path: WritePath | undefined,
  mapFile: RegionMapFile | undefined,
): VolumeStatus {
  const linkState = path?.keeper.state;
  const isAway = condition === "open" && (linkState === "stalled" || linkState === "tracking");
  const reason = isAway ? path?.keeper.why : why?.message;
  const progress = path?.resync.progress;
  return {
    state: isAway ? linkState : condition,
    ...(reason === undefined ? {} : { why: reason }),
    ...(progress === undefined ? {} : { resync: progress }),
    isWaiting: path?.isWaiting ?? false,
    addedOrdinal: path?.flight.lastOrdinal ?? 0,
    acknowledgedOrdinal: path?.flight.acknowledgedOrdinal ?? 0,
    appliedOrdinal: path?.flight.appliedOrdinal ?? 0,
    durableOrdinal: mapFile?.state.durableOrdinal ?? 0,
    inFlightBytes: path?.flight.payloadBytes ?? 0,
    regionBytes: mapFile?.map.regionBytes ?? 0,
    markedRegions: mapFile?.map.markedCount ?? 0,
  };
}
