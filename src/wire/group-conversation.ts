/**
 * One connection as the local appliance sees it, from the remote's welcome on: counts credit, ships batches, and takes
 * what the remote says. Several watermarks of one read are told as one.
 *
 * Invariants: shippedBytes <= grantedBytes; at most one fetch is under way, and one recall.
 */
import { assert } from "#src/core/assert.ts";
import { ReconnectError, RefuseError } from "#src/core/errors.ts";
import { batchBytesMax, wireBulkBytesMax } from "#src/core/limits.ts";
import { byteLengthOf } from "#src/core/pieces.ts";
import { type FrameType, frameType } from "./frame.ts";
import type { FrameChannel, FrameHandler } from "./frame-channel.ts";
import type { GroupWelcome, RecalledBlocks, WantedBlock, Watermarks } from "./group-link.ts";
import { decodeWatermarks, decodeWelcome, takesCompressed } from "./group-messages.ts";
import type { LinkShaper } from "./link-shaper.ts";
import { decodeNumber, encodeNumbers } from "./numbers.ts";
import { decodeRecall, encodeRecalled } from "./recall-messages.ts";

export interface ConversationOwner {
  welcomed(welcome: GroupWelcome): void;
  watermarks(marks: Watermarks): void;
  mayShip(): void;
  /** Never rejects. */
  recall(wanted: readonly WantedBlock[]): Promise<RecalledBlocks>;
  closed(error: Error): void;
}

interface Fetch {
  readonly take: (batch: Buffer) => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class GroupConversation implements FrameHandler {
  readonly #channel: FrameChannel;
  readonly #owner: ConversationOwner;
  readonly #shaper: LinkShaper;
  #isWelcome = false;
  #grantedBytes = 0;
  #shippedBytes = 0;
  #hasMoreCredit = false;
  #marks: Watermarks | undefined;
  #askedSeq = 0;
  /** What was asked while the socket took nothing. */
  #seqToAsk = 0;
  #fetch: Fetch | undefined;
  #isRecalling = false;

  constructor(channel: FrameChannel, owner: ConversationOwner, shaper: LinkShaper) {
    this.#channel = channel;
    this.#owner = owner;
    this.#shaper = shaper;
  }

  get mayShipBytes(): number {
    return this.#roomBytes > 0 && this.#shaper.mayPass(this.#mayGoOn) ? this.#roomBytes : 0;
  }

  get #roomBytes(): number {
    if (this.#channel.holdsBulk) return 0;
    return Math.min(this.#grantedBytes - this.#shippedBytes, wireBulkBytesMax);
  }

  ship(pieces: readonly Buffer[]): boolean {
    const byteLength = byteLengthOf(pieces);
    assert(byteLength > 0 && byteLength <= this.#roomBytes, "no more is shipped than the remote has credited");
    this.#shippedBytes += byteLength;
    const { type, pieces: shaped } = this.#shaper.shape(pieces);
    const isTaken = this.#channel.sendBulk(type, shaped);
    if (this.#roomBytes < batchBytesMax) this.#shaper.waits();
    return isTaken || type === frameType.compressedBatches;
  }

  /** The socket has taken something, there is more credit, or the limit of what may be sent allows more. */
  readonly #mayGoOn = (): void => {
    const isPassed = this.mayShipBytes > 0;
    if (isPassed && this.#roomBytes >= batchBytesMax) this.#shaper.goesOn();
    if (isPassed) this.#owner.mayShip();
  };

  /** Asking up to a seq includes all before it, so that only the highest need be told. */
  askDurable(seq: number): void {
    this.#seqToAsk = Math.max(this.#seqToAsk, seq);
    this.#ask();
  }

  #ask(): void {
    if (this.#seqToAsk <= this.#askedSeq || this.#channel.isBlocked) return;
    this.#askedSeq = this.#seqToAsk;
    this.#channel.send(frameType.askDurable, encodeNumbers(this.#askedSeq));
  }

  fetch(afterSeq: number, take: (batch: Buffer) => void): Promise<void> {
    assert(this.#fetch === undefined, "one fetch at a time");
    this.#channel.send(frameType.fetch, encodeNumbers(afterSeq));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#fetch = { take, resolve, reject };
    return promise;
  }

  // FrameHandler

  frame(type: FrameType, bytes: Buffer, start: number, end: number): void {
    if (!this.#isWelcome) {
      if (type !== frameType.welcome) throw unexpected(type);
      this.#isWelcome = true;
      this.#shaper.welcomed(takesCompressed(bytes.subarray(start, end)));
      this.#owner.welcomed(decodeWelcome(bytes.subarray(start, end)));
      return;
    }
    switch (type) {
      case frameType.watermarks:
        this.#marks = decodeWatermarks(bytes, start, end);
        break;
      case frameType.credit:
        this.#grant(decodeNumber(bytes, start, end));
        break;
      case frameType.fetchedBatch:
        this.#fetched(bytes.subarray(start, end));
        break;
      case frameType.fetchEnd:
        this.#endFetch().resolve();
        break;
      case frameType.recall:
        if (this.#isRecalling) throw unexpected(type);
        void this.#recall(decodeRecall(bytes, start, end));
        break;
      default:
        throw unexpected(type);
    }
  }

  /** Credit is told as the sum of all that was ever given. */
  #grant(grantedBytes: number): void {
    if (grantedBytes < this.#grantedBytes) throw new RefuseError("the remote took back credit that it had given");
    this.#hasMoreCredit ||= grantedBytes > this.#grantedBytes;
    this.#grantedBytes = grantedBytes;
  }

  #fetched(batch: Buffer): void {
    if (this.#fetch === undefined) throw unexpected(frameType.fetchedBatch);
    try {
      this.#fetch.take(batch);
    } catch (error) {
      this.#endFetch().reject(error as Error);
      throw error;
    }
  }

  #endFetch(): Fetch {
    const fetch = this.#fetch;
    if (fetch === undefined) throw unexpected(frameType.fetchEnd);
    this.#fetch = undefined;
    return fetch;
  }

  async #recall(wanted: readonly WantedBlock[]): Promise<void> {
    this.#isRecalling = true;
    const blocks = await this.#owner.recall(wanted);
    this.#isRecalling = false;
    this.#channel.send(frameType.recalled, encodeRecalled(blocks));
  }

  endOfRead(): void {
    const marks = this.#marks;
    this.#marks = undefined;
    if (marks !== undefined) this.#owner.watermarks(marks);
    if (!this.#hasMoreCredit) return;
    this.#hasMoreCredit = false;
    this.#mayGoOn();
  }

  drained(hasFreedBulk: boolean): void {
    this.#ask();
    if (hasFreedBulk) this.#mayGoOn();
  }

  closed(error: Error): void {
    this.#shaper.forget(this.#mayGoOn);
    this.#fetch?.reject(new ReconnectError(`the link was lost during a fetch: ${error.message}`, { cause: error }));
    this.#fetch = undefined;
    this.#owner.closed(error);
  }
}

function unexpected(type: FrameType): Error {
  return new RefuseError(`the remote sent a frame of type ${type} where it does not belong`);
}
