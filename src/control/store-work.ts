/**
 * The long works of a remote appliance. Restores are done by processes of their own, several at a time; all others by the
 * process that keeps the store beside sealing, one at a time. All of it is plain data.
 */
import type { ScrubFinding } from "#src/store/scrub-finding.ts";
import type { WorkProgress } from "#src/store/work-control.ts";
import type { RestoreRequest } from "./restore.ts";

export const workKinds = ["index", "collect", "verify", "scrub", "restore"] as const;
export type WorkKind = (typeof workKinds)[number];

export interface WorkRequest {
  readonly kind: WorkKind;
  /** Only says what it would do. */
  readonly isDry: boolean;
  /** Of a scrub: from the beginning on, wherever the last one ended. */
  readonly isAnew?: boolean;
  /** Of one from the beginning on: by this it is known when it goes on after an interruption. */
  readonly askedMicros?: number;
  /** Of a restore. */
  readonly restore?: RestoreRequest;
}

export interface WorkResult {
  /** Nothing was found that a person must see. */
  readonly isSound: boolean;
  /** By stable names; those that end in `Bytes` are shown as sizes. Null: it is not known. */
  readonly figures: Readonly<Record<string, number | null>>;
  /** One by one, as many as are worth keeping. */
  readonly lines: readonly string[];
  /** Of a scrub: what each of the lines says. */
  readonly findings?: readonly ScrubFinding[];
}

/** What a work tells while it is under way. */
export interface WorkNews {
  readonly progress: WorkProgress | undefined;
  /** Read and written since it began. */
  readonly pacedBytes: number;
}
