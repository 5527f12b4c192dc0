/**
 * A volume as it was after one record of its group: which of its blocks are where, and their bytes. Opened by
 * `GroupPoints.open`; it never changes. Any number of calls may be under way.
 *
 * `runsIn` and `read` answer at once, without a promise, as long as all that they need is in memory; so whoever asks looks whether
 * there is a promise to wait for:
 *
 *     const waiting = image.runsIn(block, count, runs);
 *     if (waiting !== undefined) await waiting;
 *
 * Invariants: bytes are never given that are not what the record's writer wrote there; of what is damaged exactly those blocks
 * are told as damaged which it decides on; nobody else's blocks are.
 *
 * Errors: a `RetryError` where the disk or service may answer later; an `ExpiredPointError` (a `RefuseError`) where retention let
 * go of the point, which cannot be while it is pinned; damage is never an error, but part of the answer.
 */
import type { ImageRuns } from "./image-runs.ts";

export interface PointImage {
  /** 32 hexadecimal digits. */
  readonly group: string;
  /** Within the group, from 1 on. */
  readonly volume: number;
  /** The point: everything up to and with this record. */
  readonly seq: number;
  /** Of that record. */
  readonly timeMicros: number;
  /** Of the volume, there and then. */
  readonly sizeBytes: number;
  /** Blocks of `blockBytes`; the last one may be cut by the size. */
  readonly blockCount: number;
  /** What was found damaged when it was opened or read, and may still be so, in words; what that costs is told by the calls. */
  readonly findings: readonly string[];

  /**
   * What lies in these blocks, which are the volume's. `runs` is cleared first; where it gets full it ends before the last block:
   * `runs.endBlock` says where to go on. Until a promise that came back has resolved, `runs` is not the caller's.
   */
  runsIn(startBlock: number, blockCount: number, runs: ImageRuns): Promise<void> | undefined;

  /**
   * Reads whole blocks to `start` in `target`, holes as zeros, and checks each. Answers which of them are damaged, counted from
   * the first one: of these nothing in `target` is to be believed. `blockCount` is at most `imageReadBlocksMax`.
   */
  read(
    startBlock: number,
    blockCount: number,
    target: Buffer,
    start: number,
  ): readonly number[] | Promise<readonly number[]>;

  /**
   * The same, if all of it is at hand and sound. False: `read` has to do it; whatever is in `target` then does not count, and nothing
   * is written there any more.
   */
  readNow(startBlock: number, blockCount: number, target: Buffer, start: number): boolean;

  /**
   * Looks whether what was found damaged still is, unless that was looked at lately: it may have been repaired. Reads do so by
   * themselves where they meet it.
   */
  lookAgain(): Promise<void>;

  /** Lets go of memory and files. Calls under way end first or fail; none comes after this. */
  close(): void;
}

/** 1 MiB. */
export const imageReadBlocksMax = 256;
