/**
 * Where interceptor and local appliance meet: what the interceptor of one volume sees of the appliance, whether that is
 * in the same thread or behind a socket. Records of a volume are counted by ordinals, from 1 on, for as long as the
 * volume lives; acknowledgements and durability are told as the highest ordinal up to which all are.
 */

/** Memory of a batch. It is kept for as long as somebody holds it. */
export interface BatchMemory {
  readonly buffer: Buffer;
  hold(): void;
  release(): void;
}

/**
 * What an interceptor knows of how old its source is. `known`: the map says what it has durably. `unknown`: the map was
 * lost, or is damaged; what the spool has is redone, and all is journaled anew. `accepted`: somebody has said that it is to be
 * taken as it is, however old, and nothing is redone.
 */
export const sourceAges = ["known", "unknown", "accepted"] as const;
export type SourceAge = (typeof sourceAges)[number];

export interface VolumeIdentity {
  /** Made by chance when the volume was added; hexadecimal. */
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly sizeBytes: number;
  /** Before the last time it was resized, of which the appliance may not know yet. */
  readonly previousBytes?: number;
}

/** `neededRemote`: what the flush covers had to be durable at the remote as well, and is. */
export type FlushDone = (error: Error | null, neededRemote?: boolean) => void;

export interface VolumeLink {
  /**
   * How near the group is to the limits of its lag and its spool, 0 to 1. Writers are slowed by it; from 1 on nothing is
   * added until it has fallen.
   */
  readonly pressure: number;
  /** Counts the records added so far. */
  readonly lastOrdinal: number;
  /** The remote has durably all records up to this one. */
  readonly remoteOrdinal: number;
  /** What the batch in the making lies in. Whoever needs a payload longer than the call of `commit` holds it. */
  readonly memory: BatchMemory;
  /** False: commit first; and if nothing is to be committed, wait for `roomAgain`. */
  hasRoomFor(payloadBlocks: number): boolean;
  /** Adds a write of whole blocks that lie at `from` in `bytes`, copied; answers where they lie in `memory`. */
  addWrite(startBlock: number, blockCount: number, bytes: Buffer, from: number): number;
  /** Adds a record without payload: trim, zero, resyncBegin, resyncEnd, initialComplete. */
  addRange(type: number, startBlock: number, blockCount: number): void;
  /** What was added since the last call gets its order and goes on its way. `acknowledged` may be called from within. */
  commit(): void;
  /**
   * Calls back when all that was added so far is as safe at the appliance as a FLUSH promises: durable in the spool, in
   * sync mode also at the remote. Commits first. The source is the interceptor's to sync.
   */
  flush(done: FlushDone): void;
  /** The source has durably all records up to this ordinal. */
  reportDurable(ordinal: number): void;
  /** The volume is not used any more. Nothing is called on either side afterwards. */
  detach(): void;
}

/** A record that may be missing in the source, from the spool. */
export interface RedoRecord {
  /** `recordType.write`, `trim` or `zero`. */
  readonly type: number;
  readonly ordinal: number;
  readonly startBlock: number;
  readonly blockCount: number;
  /** The payload of a write; valid until the returned promise is settled. */
  readonly buffer: Buffer;
  readonly payloadAt: number;
}

export interface VolumeReceiver {
  /** One by one, in their order, while `attach` is under way. */
  redo(record: RedoRecord): Promise<void>;
  /** Records up to this ordinal are acknowledged as the mode demands: their writes may go to the source. */
  acknowledged(ordinal: number): void;
  /** `hasRoomFor` is worth asking again, or the pressure has fallen below 1. */
  roomAgain(): void;
  /** `remoteOrdinal` has grown. */
  remoteDurable(): void;
  /**
   * The link is of no more use. A `ReconnectError`: attach again, and add again what was not acknowledged. Anything
   * else: the appliance cannot protect writes any more, and there must be none.
   */
  lost(error: Error): void;
}

export interface Attachment {
  readonly link: VolumeLink;
  /** The last ordinal that the appliance has; what was added after it is to be added again. */
  readonly lastOrdinal: number;
  /** Power was lost: the source may have writes that nobody else has, in every region that its map marks. */
  readonly inDoubt: boolean;
  /** What nobody else has, or what nobody should have any more, may be in any region, marked or not. */
  readonly isAllInDoubt: boolean;
}

/** What tells the local appliance that a volume was removed. */
export interface ForgetsVolumes {
  /** Resolves when it is durable, also where it is no news. A volume that somebody has is not forgotten (`RetryError`). */
  forgetVolume(id: string): Promise<void>;
}

/** What an interceptor says of the source that it comes with, besides how far it is. */
export interface AttachedSource {
  /** Absent: `known`. */
  readonly sourceAge?: SourceAge;
  /** The first record will be a `resync-begin`, so that there is no point of the volume before the end of that copy. */
  readonly isCopyDue?: boolean;
  /** Of the last record of that copy, where it was added already: the appliance may have it. */
  readonly copyEndOrdinal?: number | undefined;
  /** When the source was first written without the appliance; absent: it was not, or nobody knows. */
  readonly unprotectedMicros?: number | undefined;
  /**
   * Its interceptor begins, and it was protected until its end: without what its source may lack it cannot go on, not without the
   * appliance either. So one that has no room gives it that before it lets go of it (`OverflowError`).
   */
  readonly needsRedo?: boolean | undefined;
}

/** The local appliance as interceptors see it. */
export interface VolumeLinks {
  /**
   * Begins to protect a volume. `durableOrdinal`: what its source is known to have; records after it are redone before
   * the promise is settled. One interceptor per volume at a time: a second one is refused (`RefuseError`), and so is a
   * source that has less than it was once said to have, unless its age is `unknown` or `accepted`.
   */
  attach(
    identity: VolumeIdentity,
    durableOrdinal: number,
    receiver: VolumeReceiver,
    said?: AttachedSource,
  ): Promise<Attachment>;
}
