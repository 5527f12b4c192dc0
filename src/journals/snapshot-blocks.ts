/**
 * What snapshots hold of groups whose earliest pieces have expired: the one that the history is based on, and those before it
 * that pins keep. For those who look who needs a block. The one who knows how snapshots are read says it.
 */
import type { ObjectName } from "#src/store/objects.ts";
import type { WorkControl } from "#src/store/work-control.ts";

/** Blocks behind each other of a volume, as a snapshot that is kept has them. */
export interface SnapshotBlockRow {
  readonly volume: number;
  readonly startBlock: number;
  readonly blockCount: number;
  /** Of the first one, the others follow it. */
  readonly address: number;
  /** Of the snapshot: its last record, and when that was made. */
  readonly seq: number;
  readonly timeMicros: number;
  /** The history goes on from it. Otherwise it is the only point that is kept thereabouts. */
  readonly isBase: boolean;
}

/** What cannot be read of such a snapshot. */
export interface SnapshotDamage {
  /** What is damaged: the snapshot itself, or an earlier one that it points into. */
  readonly object: ObjectName;
  readonly finding: string;
  /** Of the snapshot that cannot be read for it. */
  readonly seq: number;
  readonly isBase: boolean;
  /** False: it only makes points open sooner, and whatever it holds is told by pieces too. */
  readonly isNeeded: boolean;
  /** Undefined: nothing of it can be read. */
  readonly blocks: Pick<SnapshotBlockRow, "volume" | "startBlock" | "blockCount" | "timeMicros"> | undefined;
}

/** One that nothing else can stand in for, and that is gone. */
export type LostSnapshot = Pick<SnapshotDamage, "object" | "seq" | "isBase">;

export interface SnapshotBlocks {
  /** All that have snapshots, or should have. */
  groups(): Promise<readonly string[]>;
  /** Rejects where nobody can say. */
  lost(group: string): Promise<readonly LostSnapshot[]>;
  /** Pieces up to this record are not kept, or not for long any more. -1: all are. Rejects where nobody can say. */
  expiredSeq(group: string): Promise<number>;
  /** Rejects with a `StopError` or an `AbsentObjectError` where one of them cannot be read. */
  rows(group: string, control: WorkControl): AsyncIterable<SnapshotBlockRow>;
  /**
   * Of those, and of all others that are kept. With `isDeep` all of their trees are read, otherwise only what they say of
   * themselves.
   */
  damages(group: string, isDeep: boolean, control: WorkControl): AsyncIterable<SnapshotDamage>;
}
