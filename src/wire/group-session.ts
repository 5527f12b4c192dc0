/**
 * One connection as the remote appliance sees it, from the peer's proof on:
 *
 *     opening ─▶ welcome ─▶ closed
 *        └────────────────────▲
 *
 * What is to be said again and again is kept as its latest state while the socket takes nothing: a slow peer makes
 * nothing grow.
 *
 * Invariants: takenBytes <= grantedBytes; grantedBytes = toldBytes unless the socket takes nothing; at most one recall is
 * under way.
 */
import { assert } from "#src/core/assert.ts";
import { ReconnectError, RefuseError } from "#src/core/errors.ts";
import { compressedBatchesLength, decodeCompressedBatches } from "./compressed-batches.ts";
import { type FrameType, frameType } from "./frame.ts";
import type { FrameChannel, FrameHandler } from "./frame-channel.ts";
import type {
  GroupHello,
  GroupSession,
  GroupSessionOwner,
  GroupSessions,
  GroupWelcome,
  RecalledBlocks,
  WantedBlock,
  Watermarks,
} from "./group-link.ts";
import { encodeWatermarks, encodeWelcome } from "./group-messages.ts";
import { decodeNumber, encodeNumbers } from "./numbers.ts";
import { decodeRecalled, encodeRecall } from "./recall-messages.ts";

interface Recall {
  readonly count: number;
  readonly resolve: (blocks: RecalledBlocks) => void;
}

export class OpenGroupSession implements GroupSession, FrameHandler {
  readonly #channel: FrameChannel;
  readonly #mayRecall: boolean;
  readonly #ended: (error: Error, wasWelcome: boolean) => void;
  /** Undefined while opening. */
  #owner: GroupSessionOwner | undefined;
  #isClosed = false;
  #grantedBytes = 0;
  #toldBytes = 0;
  #takenBytes = 0;
  #marks: Watermarks | undefined;
  #recall: Recall | undefined;

  /** `mayRecall`: the peer knows that question. */
  constructor(channel: FrameChannel, mayRecall: boolean, ended: (error: Error, wasWelcome: boolean) => void) {
    this.#channel = channel;
    this.#mayRecall = mayRecall;
    this.#ended = ended;
  }

  async open(sessions: GroupSessions, hello: GroupHello): Promise<void> {
    try {
      const { welcome, owner } = await sessions.open(hello, this);
      this.#opened(welcome, owner);
    } catch (error) {
      this.#channel.close(error as Error);
    }
  }

  #opened(welcome: GroupWelcome, owner: GroupSessionOwner): void {
    if (this.#isClosed) {
      owner.closed();
      return;
    }
    this.#owner = owner;
    this.#channel.send(frameType.welcome, encodeWelcome(welcome));
    this.#sayLatest();
  }

  // GroupSession

  get peer(): string {
    return this.#channel.peer;
  }

  sendWatermarks(marks: Watermarks): void {
    this.#marks = marks;
    this.#sayLatest();
  }

  giveCredit(byteLength: number): void {
    this.#grantedBytes += byteLength;
    this.#sayLatest();
  }

  #sayLatest(): void {
    if (this.#owner === undefined || this.#channel.isBlocked) return;
    const marks = this.#marks;
    this.#marks = undefined;
    if (marks !== undefined) this.#channel.send(frameType.watermarks, encodeWatermarks(marks));
    if (this.#toldBytes < this.#grantedBytes) {
      this.#toldBytes = this.#grantedBytes;
      this.#channel.send(frameType.credit, encodeNumbers(this.#grantedBytes));
    }
  }

  sendBatch(buffer: Buffer, start: number, end: number): boolean {
    return this.#channel.sendBulk(frameType.fetchedBatch, [buffer.subarray(start, end)]);
  }

  endFetch(): void {
    this.#channel.send(frameType.fetchEnd);
  }

  recall(wanted: readonly WantedBlock[]): Promise<RecalledBlocks> {
    assert(this.#recall === undefined, "one recall at a time");
    if (!this.#mayRecall || this.#owner === undefined || this.#isClosed) return Promise.resolve([]);
    const { promise, resolve } = Promise.withResolvers<RecalledBlocks>();
    this.#recall = { count: wanted.length, resolve };
    this.#channel.send(frameType.recall, encodeRecall(wanted));
    return promise;
  }

  #recalled(bytes: Buffer, start: number, end: number): void {
    const recall = this.#recall;
    if (recall === undefined) throw new RefuseError("blocks came that nobody has asked for");
    const blocks = decodeRecalled(bytes, start, end, recall.count);
    this.#recall = undefined;
    recall.resolve(blocks);
  }

  close(why: string): void {
    this.#channel.close(new ReconnectError(why));
  }

  // FrameHandler

  frame(type: FrameType, bytes: Buffer, start: number, end: number): void {
    const owner = this.#owner;
    if (owner === undefined) throw new RefuseError("the other side did not wait for its welcome");
    switch (type) {
      case frameType.batches:
        this.#useCredit(end - start);
        owner.batches(bytes, start, end);
        break;
      case frameType.compressedBatches: {
        // What they will take counts, and before they take it.
        this.#useCredit(compressedBatchesLength(bytes, start, end));
        const plain = decodeCompressedBatches(bytes, start, end);
        owner.batches(plain, 0, plain.length);
        break;
      }
      case frameType.askDurable:
        owner.askDurable(decodeNumber(bytes, start, end));
        break;
      case frameType.fetch:
        owner.fetch(decodeNumber(bytes, start, end));
        break;
      case frameType.recalled:
        this.#recalled(bytes, start, end);
        break;
      default:
        throw new RefuseError(`a frame of type ${type} came where it does not belong`);
    }
  }

  #useCredit(byteLength: number): void {
    this.#takenBytes += byteLength;
    if (this.#takenBytes > this.#grantedBytes) throw new RefuseError("more was sent than there was credit for");
  }

  endOfRead(): void {
    this.#owner?.endOfRead();
  }

  drained(hasFreedBulk: boolean): void {
    this.#sayLatest();
    if (hasFreedBulk) this.#owner?.drained();
  }

  closed(error: Error): void {
    assert(!this.#isClosed, "a session is closed once");
    this.#isClosed = true;
    this.#recall?.resolve([]);
    this.#recall = undefined;
    this.#owner?.closed();
    this.#ended(error, this.#owner !== undefined);
  }
}
