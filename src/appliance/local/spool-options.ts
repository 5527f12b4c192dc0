/** What a spool is to be like, and what its owner knows of it. */
export interface SpoolOptions {
  /** Hexadecimal. */
  readonly group: string;
  readonly incarnation: number;
  /** Of a new spool; one that is there keeps the size it has. */
  readonly segmentBytes: number;
  /** All files together; at least two are allowed in any case. */
  readonly limitBytes: number;
  /** What the caller knows to be durable in this spool; 0 for nothing. */
  readonly knownDurableSeq: number;
  /** Nothing was ever in it: it may be missing, and is made then. */
  readonly isNew: boolean;
  /** Waited for before an end that was never known to be durable is dropped. */
  readonly dropping?: (claimedSeq: number) => Promise<void>;
}
