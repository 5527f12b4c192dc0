/** What may be chosen for a volume, and what is chosen where nothing is said. */
import {
  checkpointBytesDefault,
  checkpointMsDefault,
  resyncBytesPerSecondDefault,
  trackAfterMsDefault,
} from "#src/core/limits.ts";

export interface VolumeOptions {
  /**
   * What FLUSH and FUA wait for. `both`: spool and source. `spool`: the spool alone, since what the source lacks after a
   * crash is redone from there.
   */
  readonly flush: "both" | "spool";
  /** When the local appliance is gone: writers wait, or the volume goes on unprotected after `trackAfterMs`. */
  readonly whenLost: "stall" | "track";
  readonly trackAfterMs: number;
  readonly checkpointMs: number;
  readonly checkpointBytes: number;
  readonly resyncBytesPerSecond: number;
}

export const volumeOptionDefaults: VolumeOptions = {
  flush: "both",
  whenLost: "stall",
  trackAfterMs: trackAfterMsDefault,
  checkpointMs: checkpointMsDefault,
  checkpointBytes: checkpointBytesDefault,
  resyncBytesPerSecond: resyncBytesPerSecondDefault,
};
