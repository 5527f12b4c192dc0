/**
 * Where local and remote appliance meet, for one group: what each sees of the other. The wire stands between them, and
 * promises order, whole and sound frames, bounded memory, and that a dead peer is noticed; it knows no policy.
 */
import type { TrafficFigures } from "./link-traffic.ts";

/** How far the remote is. Each is the highest seq up to which it has all: written; synced; sealed in the store. */
export interface Watermarks {
  readonly received: number;
  readonly durable: number;
  readonly stored: number;
}

/** A block that the remote has lost, as the record with this seq wrote it. */
export interface WantedBlock {
  readonly seq: number;
  /** Within the group. */
  readonly volume: number;
  readonly block: number;
}

/** In the order that they were asked for; undefined: it is not there. Unchecked. */
export type RecalledBlocks = readonly (Buffer | undefined)[];

/** What the local appliance says of itself and its group when it connects. */
export interface GroupHello {
  /** Made by chance when the group was made; hexadecimal. */
  readonly group: string;
  readonly groupName: string;
  /** Made by chance at each start of the local appliance; two of the same life are never two writers. */
  readonly writer: string;
  /** Counts the starts of the group, durably. Of two writers the one with the higher count is the right one. */
  readonly life: number;
  readonly bootId: string;
  readonly epoch: number;
  /** Of what the spool holds; 0 and 0 for an empty one. */
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** What the remote appliance answers. */
export interface GroupWelcome extends Watermarks {
  readonly epoch: number;
  readonly bootId: string;
}

/** The local side's end. One connection at a time; it connects again by itself until it is stopped. */
export interface GroupLink {
  readonly isUp: boolean;
  /** What it has carried so far. */
  readonly traffic: TrafficFigures;
  /**
   * Bytes of batches that may be shipped at this moment: the credit given, and 0 while the last ones are not taken. Who is
   * told 0 hears of it by `mayShip` when there are more.
   */
  readonly mayShipBytes: number;
  /** Sends whole batches, zeros behind them included. False: the bytes must stay as they are until `mayShip`, or `down`. */
  ship(pieces: readonly Buffer[]): boolean;
  /** Somebody waits for the watermark that follows what was shipped. */
  expectAnswer(): void;
  /** Asks the remote to sync at once what it has up to `seq`; the answer is a watermark. */
  askDurable(seq: number): void;
  /**
   * Asks for the records after `afterSeq` that the remote has; they come as batches, each handed to `take` before the
   * next; resolves with the last one. Only while up.
   */
  fetch(afterSeq: number, take: (batch: Buffer) => void): Promise<void>;
  /** Gives up the connection and connects anew: what came over it makes no sense. */
  reconnect(why: string): void;
  /** Says farewell and ends for good. */
  stop(): Promise<void>;
}

export interface GroupLinkOwner {
  /** Asked for each connection. */
  hello(): GroupHello;
  /** The remote has accepted; shipping goes on behind `welcome.received`. */
  up(welcome: GroupWelcome): void;
  watermarks(marks: Watermarks): void;
  /** `mayShipBytes` has grown. */
  mayShip(): void;
  /** The connection that was up is gone. */
  down(why: string): void;
  /** The remote says no, and why; the link goes on trying, rarely. `resync`: what both have does not fit together. */
  refused(error: Error): void;
  /** The remote asks for what it has lost, one question at a time. Never rejects: what cannot be read is not there. */
  recall(wanted: readonly WantedBlock[]): Promise<RecalledBlocks>;
}

/** The remote side's end of one connection, after the peer has proved who it is. */
export interface GroupSession {
  readonly peer: string;
  sendWatermarks(marks: Watermarks): void;
  /** How many more bytes of batches the peer may send, from now on. */
  giveCredit(byteLength: number): void;
  /** Sends a batch in answer to a fetch; false: wait for `drained`. */
  sendBatch(buffer: Buffer, start: number, end: number): boolean;
  endFetch(): void;
  /**
   * Asks for at most `recallBlocksMax` blocks that were lost here; one question at a time. Resolves with nothing where the
   * peer does not know the question, or leaves.
   */
  recall(wanted: readonly WantedBlock[]): Promise<RecalledBlocks>;
  close(why: string): void;
}

/** What the remote appliance does for a session. What is thrown ends the connection, and its message is told to the peer. */
export interface GroupSessionOwner {
  /** Whole batches lie in the range; not needed any more when this returns. Called before `endOfRead` once or more. */
  batches(buffer: Buffer, start: number, end: number): void;
  /** All that one read from the socket brought was handed over: the moment for work done once per read. */
  endOfRead(): void;
  askDurable(seq: number): void;
  fetch(afterSeq: number): void;
  drained(): void;
  closed(): void;
}

/** The remote appliance as connections see it. Throws a `RefuseError`, or a `ResyncError`, for whom it does not want. */
export interface GroupSessions {
  open(hello: GroupHello, session: GroupSession): Promise<{ welcome: GroupWelcome; owner: GroupSessionOwner }>;
}
