/** What a long work over a store gets, such as collection or scrub: it tells how far it is, may be ended, and gives way. */

export interface WorkProgress {
  readonly done: number;
  /** 0: nobody knows yet. */
  readonly total: number;
  /** What is counted. */
  readonly unit: "bytes" | "segments" | "pieces" | "objects" | "records" | "blocks";
  /** What is being done, as operators read it: `marks what is still needed`. */
  readonly what: string;
}

export interface WorkControl {
  readonly isCancelled: boolean;
  /** Called where it is safe to end: what was begun is left such that the next run goes on, or begins anew. */
  throwIfCancelled(): void;
  progress(progress: WorkProgress): void;
  /**
   * Said of bytes that were just read or written, in pieces of a few MiB at most. Resolves when more may be: at the rate
   * that is allowed, and not before what hurries more had its part of the time. Rejects as `throwIfCancelled` throws.
   */
  pace(byteLength: number): Promise<void>;
}

/** Somebody ended the work before it was done. */
export class CancelledError extends Error {
  override name = "CancelledError";

  constructor() {
    super("it was ended before it was done");
  }
}
