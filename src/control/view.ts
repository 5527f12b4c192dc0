/** A view as all parts have it: what is kept of it for as long as it is there, and what is told of it. */
import type { NamedPoint } from "./named-point.ts";

/** A point that a view is compared with, as a metadata context of its export. */
export interface ViewSince {
  /** Behind `qemu:dirty-bitmap:`. */
  readonly name: string;
  readonly seq: number;
}

export interface ViewDefinition extends NamedPoint {
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** Of its export. */
  readonly name: string;
  readonly isWritable: boolean;
  /** Of its own journals, where it is writable. */
  readonly incarnation: number;
  readonly openedMs: number;
  /** It has no export: what was written is kept until it is opened again, or thrown away. */
  readonly isPutAway: boolean;
  /** It was put away to be copied there, and not opened since. */
  readonly copiedTo?: string;
  /** How often it was opened again since it was put away: what was copied before may have changed. Absent: never. */
  readonly reopenCount?: number;
  /** It goes, with what was written to it, when nobody says any more that he holds it. */
  readonly isLeased?: boolean;
  /** Absent: none. */
  readonly since?: readonly ViewSince[];
}

/** As the process that serves it has it. */
export interface ViewFigures {
  readonly id: string;
  readonly sizeBytes: number;
  /** NBD connections. */
  readonly connections: number;
  /** In words: what cannot be read of the point, or of what was written to it, as far as somebody has met it. */
  readonly findings: readonly string[];
  /** What was written aside: blocks, each as often as it takes memory. */
  readonly writtenBlocks: number;
  /** Writes, trims and zeroings since it was opened for the first time. */
  readonly changes: number;
  /** Why nothing more can be written. */
  readonly writeFailure?: string;
}

export type ViewState = "opening" | "open" | "put away" | "failed";

/** What operators see. */
export interface ViewFacts {
  readonly name: string;
  readonly volume: string;
  readonly group: string;
  readonly seq: number;
  /** Of the point's record. */
  readonly time: string;
  readonly writable: boolean;
  /** It goes when nobody says any more that he holds it. */
  readonly leased: boolean;
  readonly state: ViewState;
  /** Why it is not open, or cannot be written. */
  readonly why?: string;
  readonly opened: string;
  readonly uri: string;
  readonly sizeBytes?: number;
  readonly connections: number;
  readonly writtenBytes: number;
  /** Writes, trims and zeroings since it was opened for the first time. */
  readonly changes: number;
  readonly findings: readonly string[];
  /** What else is to be said of its point; told when it is opened. */
  readonly note?: string;
}

export interface ViewRequest {
  readonly volume: string;
  /** In words: `now`, `seq:123`, an ISO time, `-5m`, `mark:NAME`, `snap:SEQ`. */
  readonly point: string;
  readonly isWritable: boolean;
  /** What is no point stands for the last one before it. */
  readonly isNearest?: boolean;
  /** It goes by itself when it is not renewed for `viewLeaseMs`. */
  readonly isLeased?: boolean;
  /** Unless told otherwise it is made of volume and seq. */
  readonly name?: string;
  /** Points in words, each of which may have a name before it: `monday=mark:m-17`. */
  readonly since?: readonly string[];
}

/** The id of the pin that holds a view's point. */
export function viewPin(id: string): string {
  return `view:${id}`;
}
