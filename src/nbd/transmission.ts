/**
 * The transmission phase of one connection: requests in, replies out. What one read from the socket brought is one
 * batch: its requests go to the export in order, and what is answered within the batch leaves in one call.
 *
 * It stops reading, so that the peer's sends wait, while the peer does not take its replies, while the budget of memory
 * is used up, and while too many requests are under way.
 *
 * Invariants: `#keptCount` is the number of requests kept and not ended; outside of a batch, every request that has not
 * ended is kept.
 */
import { assert } from "#src/core/assert.ts";
import { fitsInto } from "#src/core/byte-range.ts";
import { nbdRequestsInFlightMax, nbdSmallBatchCount, nbdSmallRestBytes } from "#src/core/nbd-limits.ts";
import type { Connection } from "#src/host/socket.ts";
import type { Agreement } from "./agreement.ts";
import { encodeBlockStatus, statusQuestion } from "./block-status.ts";
import { command, nbdError } from "./constants.ts";
import type { MemoryShare } from "./memory.ts";
import {
  encodeReadHead,
  encodeStatus,
  type RequestIdentity,
  readReplyHeadBytes,
  statusReplyBytesMax,
} from "./reply-codec.ts";
import { ReplySender } from "./reply-sender.ts";
import type { RequestHeader } from "./request-codec.ts";
import { RequestReader, type RequestSink } from "./request-reader.ts";
import { type RequestOwner, ServerRequest } from "./server-request.ts";
import type { SharedBuffers } from "./shared-buffers.ts";
import { validate } from "./validate.ts";

interface Stash {
  readonly buffer: Buffer;
  /** The buffer is out of the budget of memory. */
  readonly counted: boolean;
  start: number;
  readonly end: number;
}

export class Transmission implements RequestSink, RequestOwner {
  readonly #agreement: Agreement;
  readonly #connection: Connection;
  readonly #memory: MemoryShare;
  readonly #soon: (callback: () => void) => void;
  readonly #sender: ReplySender;
  readonly #reader: RequestReader;
  readonly #readHeadBytes: number;
  readonly #free: ServerRequest[] = [];
  /** Requests that wait for the end of the batch. */
  #open: ServerRequest[] = [];
  /** Requests that ended outside of a batch, to be answered together. */
  #late: ServerRequest[] = [];
  /** A read that has its place in the slab and is with the export right now: no other reply may be put there. */
  #placed: ServerRequest | undefined;
  #keptCount = 0;
  #batchCount = 0;
  #inBatch = false;
  /** What arrived but may not be handled yet; while it is there, nothing is read. */
  #stash: Stash | undefined;
  #waitsForMemory = false;
  #shutDown = false;
  /** This side has ended; the peer is to hang up. */
  #ended = false;
  #over = false;

  constructor(
    agreement: Agreement,
    connection: Connection,
    shared: SharedBuffers,
    soon: (callback: () => void) => void,
  ) {
    this.#agreement = agreement;
    this.#connection = connection;
    this.#memory = shared.shareOf(agreement.target);
    this.#memory.join();
    this.#soon = soon;
    this.#sender = new ReplySender(connection, shared, this.#memory);
    this.#reader = new RequestReader(shared, this.#memory, agreement.style === "extended", this);
    this.#readHeadBytes = readReplyHeadBytes(agreement.style);
  }

  get over(): boolean {
    return this.#over;
  }

  /** The peer owes something: the rest of a request, or to take its replies. */
  get waitsForPeer(): boolean {
    if (this.#ended) return true;
    return this.#sender.busy || this.partial !== undefined;
  }

  /** The request that has come in part, if any: a number of its own, and how much it has to bring. */
  get partial(): { readonly number: number; readonly byteLength: number } | undefined {
    return this.#stash === undefined ? this.#reader.partial : undefined;
  }

  /** It asked the connection to stop reading, and will ask it to go on. */
  get stopped(): boolean {
    return this.#stash !== undefined;
  }

  target(mayWait = false): Buffer {
    return this.#reader.target(mayWait);
  }

  /** Handles what arrived; true if the peer probably waits for just these answers. */
  received(buffer: Buffer, byteLength: number): boolean {
    // After the end of this side the connection reads on only to see the peer go.
    if (this.#over || this.#ended || this.#reader.ending !== undefined) return false;
    if (this.#stash !== undefined) {
      this.#connection.destroy(new Error("bytes came although reading had stopped"));
      return false;
    }
    this.#beginBatch();
    if (!this.#reader.arrivedInPlace(buffer, byteLength))
      this.#putAside(buffer, this.#reader.parse(buffer, 0, byteLength), byteLength);
    this.#endBatch();
    this.#proceedLater();
    return this.#batchCount <= nbdSmallBatchCount && this.#keptCount === 0 && this.#stash === undefined;
  }

  /** Holds on to what may not be handled yet, and stops reading. */
  #putAside(bytes: Buffer, start: number, end: number): void {
    if (this.#reader.ending !== undefined || (start === end && this.ready() && !this.#waitsForMemory)) return;
    const byteLength = end - start;
    const counted = byteLength > nbdSmallRestBytes;
    const buffer = counted ? this.#memory.takeBeside(byteLength) : Buffer.allocUnsafe(byteLength);
    bytes.copy(buffer, 0, start, end);
    this.#stash = { buffer, counted, start: 0, end: byteLength };
    this.#connection.pause();
  }

  /** Goes on where it stopped, if the reason to stop has gone. */
  #proceed(): void {
    const stash = this.#stash;
    if (stash === undefined || this.#over || this.#inBatch || this.#waitsForMemory || !this.ready()) return;
    this.#beginBatch();
    stash.start = this.#reader.parse(stash.buffer, stash.start, stash.end);
    const done = stash.start === stash.end && !this.#waitsForMemory;
    this.#endBatch();
    // Not before: payloads may lie in it until the batch has ended.
    if (done) this.#dropStash();
    if (done && this.#reader.ending === undefined) this.#connection.resume();
    else this.#proceedLater();
  }

  /** The batch itself may have ended what it stopped for. */
  #proceedLater(): void {
    if (this.#stash !== undefined && this.ready() && !this.#waitsForMemory) this.#soon(() => this.#proceed());
  }

  #dropStash(): void {
    if (this.#stash?.counted) this.#memory.give(this.#stash.buffer);
    this.#stash = undefined;
  }

  #beginBatch(): void {
    assert(!this.#inBatch, "batches do not nest");
    this.#inBatch = true;
    this.#batchCount = 0;
  }

  #endBatch(): void {
    if (this.#batchCount > 0) this.#agreement.target.endBatch();
    for (const request of this.#open)
      assert(request.ended || request.kept, "a request outlives the batch only if it is kept");
    if (this.#open.length > 0) this.#open = [];
    this.#sender.flush();
    this.#inBatch = false;
    this.#endIfDone();
  }

  // RequestSink

  ready(): boolean {
    return !this.#sender.busy && this.#keptCount < nbdRequestsInFlightMax && !this.#shutDown;
  }

  check(header: Readonly<RequestHeader>): number {
    return validate(header, this.#agreement);
  }

  hasRoomFor(header: Readonly<RequestHeader>): boolean {
    if (header.type !== command.read && header.type !== command.write) return true;
    const byteLength = header.length + this.#readHeadBytes;
    if (this.#memory.hasRoomFor(byteLength)) return true;
    if (!this.#waitsForMemory) {
      this.#waitsForMemory = true;
      this.#memory.wait(byteLength, () => {
        this.#waitsForMemory = false;
        this.#proceed();
      });
    }
    return false;
  }

  refuse(header: Readonly<RequestHeader>, error: number): void {
    this.#batchCount++;
    this.#answerWithoutData(header, header.type, error);
  }

  accept(header: Readonly<RequestHeader>, bytes: Buffer, payloadStart: number, owned: boolean): void {
    this.#batchCount++;
    const request = this.#free.pop() ?? new ServerRequest(this);
    request.begin(header);
    switch (header.type) {
      case command.read:
        this.#acceptRead(request);
        return;
      case command.write:
        request.buffer = bytes;
        request.start = payloadStart;
        request.ownsBuffer = owned;
        break;
      case command.blockStatus:
        if (!this.#askStatus(request, header, bytes, payloadStart, owned)) return;
        break;
      default:
    }
    this.#agreement.target.submit(request);
    if (!request.ended) this.#open.push(request);
  }

  /** A read that is answered at once puts its data behind its header in the slab, where it leaves from. */
  #acceptRead(request: ServerRequest): void {
    const replyBytes = this.#readHeadBytes + request.length;
    if (replyBytes > this.#sender.slab.length) request.keep();
    else {
      request.start = this.#sender.room(replyBytes) + this.#readHeadBytes;
      request.buffer = this.#sender.slab;
    }
    this.#placed = request.kept ? undefined : request;
    this.#agreement.target.submit(request);
    this.#placed = undefined;
    assert(request.ended || request.kept, "a read is ended or kept at once");
  }

  /** False: the request was refused. */
  #askStatus(
    request: ServerRequest,
    header: Readonly<RequestHeader>,
    bytes: Buffer,
    payloadStart: number,
    owned: boolean,
  ): boolean {
    const { contexts, target } = this.#agreement;
    const question = statusQuestion(header, contexts, bytes, payloadStart);
    if (owned) this.#memory.give(bytes);
    if (
      question === undefined ||
      question.length === 0 ||
      !fitsInto(target.sizeBytes, request.offset, question.length)
    ) {
      request.complete(nbdError.invalid);
      return false;
    }
    request.length = question.length;
    request.contexts = question.contexts.map((context) => context.name);
    request.contextIds = question.contexts.map((context) => context.id);
    return true;
  }

  // RequestOwner

  keepRequest(request: ServerRequest, needsMemory: boolean): void {
    this.#keptCount++;
    if (!needsMemory) return;
    if (request.isRead) {
      request.buffer = this.#memory.take(this.#readHeadBytes + request.length);
      request.start = this.#readHeadBytes;
      request.ownsBuffer = true;
    } else if (request.command === command.write && !request.ownsBuffer) {
      const copy = this.#memory.take(request.length);
      request.buffer.copy(copy, 0, request.start, request.start + request.length);
      request.buffer = copy;
      request.start = 0;
      request.ownsBuffer = true;
    }
  }

  dropPayload(request: ServerRequest): void {
    if (request.ownsBuffer) this.#memory.give(request.buffer);
    request.ownsBuffer = false;
  }

  requestEnded(request: ServerRequest): void {
    if (request.kept) this.#keptCount--;
    if (request.error !== nbdError.ok) this.#agreement.target.failed?.(request, request.error);
    if (this.#over) this.#retire(request);
    else if (this.#inBatch && (this.#placed === undefined || this.#placed === request)) this.#answer(request);
    else {
      this.#late.push(request);
      if (this.#late.length === 1) this.#soon(() => this.#answerLate());
    }
  }

  #answerLate(): void {
    const late = this.#late;
    this.#late = [];
    for (const request of late) {
      if (this.#over) this.#retire(request);
      else this.#answer(request);
    }
    if (this.#over) return;
    this.#sender.flush();
    this.#endIfDone();
    this.#proceed();
  }

  #answer(request: ServerRequest): void {
    if (request.extents !== undefined) this.#answerStatus(request);
    else if (!request.isRead || request.error !== nbdError.ok) {
      this.#answerWithoutData(request, request.command, request.error);
    } else {
      const headAt = request.start - this.#readHeadBytes;
      encodeReadHead(request.buffer, headAt, this.#agreement.style, request, request.length);
      const end = request.start + request.length;
      if (!request.ownsBuffer) this.#sender.advance(end - headAt);
      else {
        this.#sender.append(request.buffer, headAt, end);
        request.ownsBuffer = false;
      }
    }
    this.#retire(request);
  }

  #answerWithoutData(of: RequestIdentity, type: number, error: number): void {
    const at = this.#sender.room(statusReplyBytesMax());
    const { style } = this.#agreement;
    this.#sender.advance(encodeStatus(this.#sender.slab, at, style, of, error, answersInChunks(type)));
  }

  #answerStatus(request: ServerRequest): void {
    const reply = encodeBlockStatus(
      this.#agreement.style === "extended",
      request,
      request.contextIds,
      request.extents ?? [],
    );
    const own = this.#memory.takeForReplies(reply.length);
    reply.copy(own);
    this.#sender.append(own, 0, reply.length);
  }

  #retire(request: ServerRequest): void {
    this.dropPayload(request);
    request.release();
    if (this.#free.length < nbdRequestsInFlightMax) this.#free.push(request);
  }

  // The connection's life

  drained(): void {
    this.#sender.drained();
    this.#endIfDone();
    this.#proceed();
  }

  /** Takes no more requests; the connection ends when those under way are answered. */
  shutDown(): void {
    this.#shutDown = true;
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#over || this.#ended || this.#keptCount > 0 || this.#late.length > 0 || this.#sender.busy || this.#inBatch)
      return;
    if (this.#reader.ending === "protocol-error") this.#connection.destroy(new Error("that was no NBD request"));
    else if (this.#reader.ending !== undefined || this.#shutDown) {
      this.#ended = true;
      this.#connection.end();
    }
  }

  /** The connection is gone. What is under way ends in its own time and is forgotten. */
  closed(): void {
    this.#over = true;
    this.#sender.drop();
    this.#reader.drop();
    this.#dropStash();
    this.#memory.leave();
  }
}

/** Clients take a simple reply for most commands, but never for those that answer with a payload. */
function answersInChunks(type: number): boolean {
  return type === command.read || type === command.blockStatus;
}
