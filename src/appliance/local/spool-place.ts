/**
 * Where a group's spool is, and how another one is begun where the one it had is lost, or cannot be believed any more. The
 * new one is in a folder of its own, and what is left of the old one stays as it is.
 *
 * Nobody knows which seqs and epochs were given in the order that is lost, or in the future of an old copy of it. So the
 * next ones are far beyond all that can have been: a seq has room for thousands of such jumps, an epoch for tens of
 * thousands. Every volume is in doubt: what is marked in its map, which is all that the remote may lack, is journaled anew.
 */
import { join } from "node:path";
import { StopError } from "#src/core/errors.ts";
import { lostEpochCount, lostSeqCount } from "#src/core/limits.ts";
import type { GroupState } from "./group-state.ts";

/** The spool is missing, or damaged where it was known to be durable. */
export class LostSpoolError extends StopError {
  override name = "LostSpoolError";
}

const nameBeside = "spool";

export function spoolFolderOf(groupFolder: string, state: GroupState): string {
  return state.spoolFolder ?? join(groupFolder, nameBeside);
}

/** Whether a name in a group's folder is that of a spool, the present one or an earlier one. */
export function isSpoolFolder(name: string): boolean {
  return name === nameBeside || name.startsWith(`${nameBeside}-`);
}

export interface SpoolAnew {
  readonly groupFolder: string;
  /** An existing folder elsewhere, such as on another disk. */
  readonly parentFolder?: string | undefined;
  readonly incarnation: number;
  readonly bootId: string;
  readonly seqReserve: number;
}

interface SpoolName {
  readonly incarnation: number;
  readonly spoolFolder: string;
}

/** What the group's state becomes. Pure. */
export function spoolAnew(state: GroupState, anew: SpoolAnew): Partial<GroupState> & SpoolName {
  const { groupFolder, parentFolder, incarnation, bootId, seqReserve } = anew;
  const suffix = incarnation.toString(16).padStart(8, "0");
  const besides = join(groupFolder, `${nameBeside}-${suffix}`);
  const epochSeq = state.seqCeiling + lostSeqCount;
  return {
    incarnation,
    isSpoolNew: true,
    spoolFolder: parentFolder === undefined ? besides : join(parentFolder, `${state.name}-${suffix}`),
    bootId,
    life: state.life + lostEpochCount,
    epoch: state.epoch + lostEpochCount,
    epochSeq,
    seqCeiling: epochSeq + seqReserve,
    stoppedAtSeq: null,
    claimedSeq: 0,
    volumes: state.volumes.map(({ cutSeq, isAllInDoubt = false, ...volume }) => ({
      ...volume,
      inDoubt: true,
      isAllInDoubt: isAllInDoubt || cutSeq !== undefined,
    })),
  };
}
