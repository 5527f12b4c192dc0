/** What a remote appliance is told when it is started. */
import {
  metadataPieceBytes,
  remoteCheckpointAfterMs,
  remoteCreditBytes,
  remoteFullProbeMs,
  remoteOpenGroupCountMax,
  remoteSyncAfterBytes,
  remoteSyncAfterMs,
  remoteUndurableBytesMax,
} from "#src/core/limits.ts";
import {
  remoteKeptPieceBytes,
  remoteSealAfterMs,
  remoteSealBehindBytes,
  remoteSealRetryMs,
  remoteUnsealedBytesMax,
} from "#src/core/store-limits.ts";
import { slotsPerSegment } from "#src/records/address.ts";

export interface RemoteOptions {
  /** The size of a full piece of the metadata journal. */
  readonly pieceBytes: number;
  /** Of a full data segment: a largest record has to fit. */
  readonly segmentSlots: number;
  /** What has landed is synced after so long, or when it is so much, at the latest. */
  readonly syncAfterMs: number;
  readonly syncAfterBytes: number;
  /** How much may be sent beyond what has landed, and how much may have landed without a sync. */
  readonly creditBytes: number;
  readonly undurableBytesMax: number;
  readonly checkpointAfterMs: number;
  /** Groups that keep their files open at the same time. */
  readonly openGroupCountMax: number;
  /** How often a full disk is tried again. */
  readonly fullProbeMs: number;
  /** So much of the metadata journal stays that the store has: records are fetched from there soonest. */
  readonly keptPieceBytes: number;
  /** A data segment is closed and sealed when it is full, or after so long. */
  readonly sealAfterMs: number;
  /** So much may wait to be sealed as long as hosts write much. */
  readonly sealBehindBytesMax: number;
  /** How often a segment that could not be sealed is tried again. */
  readonly sealRetryMs: number;
  /** Where so much waits to be sealed, no more is taken: the disk shall not fill up with it. */
  readonly unsealedBytesMax: number;
}

export const remoteDefaults: RemoteOptions = {
  pieceBytes: metadataPieceBytes,
  segmentSlots: slotsPerSegment,
  syncAfterMs: remoteSyncAfterMs,
  syncAfterBytes: remoteSyncAfterBytes,
  creditBytes: remoteCreditBytes,
  undurableBytesMax: remoteUndurableBytesMax,
  checkpointAfterMs: remoteCheckpointAfterMs,
  openGroupCountMax: remoteOpenGroupCountMax,
  fullProbeMs: remoteFullProbeMs,
  keptPieceBytes: remoteKeptPieceBytes,
  sealAfterMs: remoteSealAfterMs,
  sealBehindBytesMax: remoteSealBehindBytes,
  sealRetryMs: remoteSealRetryMs,
  unsealedBytesMax: remoteUnsealedBytesMax,
};
