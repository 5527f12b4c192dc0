/** What may be chosen for a volume, and what is chosen where nothing is said. */
import { checkpointBytesDefault, checkpointMsDefault, trackAfterMsDefault } from "#src/core/limits.ts";

export interface VolumeOptions {
  /**
   * What FLUSH and FUA wait for. `both`: spool and source. `spool`: the spool alone, since what the source lacks after a
   * crash is redone from there.
   */
  readonly flush: "both" | "spool";
  /** When the local appliance is gone: writers wait, or the volume goes on unprotected after `trackAfterMs`. */
  readonly whenLost: "stall" | "track";
  readonly trackAfterMs: number;
  /** When the source has no room: what comes waits, or is refused before it enters the order. What is in it waits. */
  readonly whenFull: "wait" | "refuse";
  readonly checkpointMs: number;
  readonly checkpointBytes: number;
  /** The most that is read of the source to be copied; infinite: as much as host, spool and remote leave to it. */
  readonly copyBytesPerSecond: number;
}

export const volumeOptionDefaults: VolumeOptions = {
  flush: "both",
  whenLost: "stall",
  whenFull: "wait",
  trackAfterMs: trackAfterMsDefault,
  checkpointMs: checkpointMsDefault,
  checkpointBytes: checkpointBytesDefault,
  copyBytesPerSecond: Number.POSITIVE_INFINITY,
};
