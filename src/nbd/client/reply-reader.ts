/**
 * Takes a server's replies apart, in the phase after the handshake.
 *
 *   header ─┬─▶ gather ─┬─▶ data ───┐      gather: the few bytes in front of data or extents, a hole, an error
 *      ▲    │           ├─▶ extents ┤      data:   straight into the caller's buffer if there is much of it
 *      │    │           ▼           ▼
 *      └────┴─────── the chunk's end
 *
 * Whatever is said is compared with what was asked; the first thing that does not fit throws.
 */
import { assert, assertNever } from "#src/core/assert.ts";
import { get32, get64 } from "#src/core/big-endian.ts";
import {
  nbdClientDirectBytesMin,
  nbdClientErrorChunkBytesMax,
  nbdClientExtentsPerChunkMax,
  nbdClientReceiveBytes,
} from "#src/core/nbd-limits.ts";
import { command, commandFlag, magic, offsetDataPrefixBytes, replyFlag, replyType } from "../constants.ts";
import { decodeReply, emptyReplyHeader, type ReplyHeader, type ReplyStyle, replyHeaderBytes } from "../reply-codec.ts";
import {
  decodeErrorPayload,
  errorBytesMin,
  holeBytes,
  statusExtentBytes,
  statusExtentCount,
  statusHeadBytes,
} from "./chunk-payload.ts";
import { NbdProtocolError, NbdServerError } from "./errors.ts";
import type { MetaContext } from "./handshake.ts";
import { describeSlot } from "./request-name.ts";
import type { RequestTable, Slot } from "./request-table.ts";
import { StatusChunk } from "./status-chunk.ts";

type Phase = "header" | "gather" | "data" | "extents";

const firstErrorType = 1 << 15;

export class ReplyReader {
  readonly #style: ReplyStyle;
  readonly #contexts: readonly MetaContext[];
  readonly #table: RequestTable;
  readonly #answered: (slot: Slot) => void;
  readonly #staging = Buffer.allocUnsafeSlow(nbdClientReceiveBytes);
  #from = 0;
  #to = 0;
  #phase: Phase = "header";
  readonly #header: ReplyHeader = emptyReplyHeader();
  #slot: Slot | undefined;
  #gatherBytes = 0;
  #dataAt = 0;
  #dataBytes = 0;
  #isDirect = false;
  #status: StatusChunk | undefined;
  #stopped = false;

  /** `answered` is told of each request whose reply is complete and sound. */
  constructor(
    style: ReplyStyle,
    contexts: readonly MetaContext[],
    table: RequestTable,
    answered: (slot: Slot) => void,
  ) {
    this.#style = style;
    this.#contexts = contexts;
    this.#table = table;
    this.#answered = answered;
  }

  target(): Buffer {
    this.#isDirect = this.#phase === "data" && this.#dataBytes >= nbdClientDirectBytesMin && !this.#stopped;
    if (this.#isDirect) return this.#dataBuffer().subarray(this.#dataAt, this.#dataAt + this.#dataBytes);
    if (this.#from > 0) {
      this.#staging.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
    assert(this.#to < this.#staging.length, "what is gathered fits into the buffer");
    return this.#to === 0 ? this.#staging : this.#staging.subarray(this.#to);
  }

  received(byteLength: number): void {
    if (this.#stopped) return;
    if (this.#isDirect) this.#dataTaken(byteLength);
    else this.#to += byteLength;
    while (!this.#stopped && this.#advance());
  }

  /** The connection is given up: what still comes is thrown away. */
  stop(): void {
    this.#stopped = true;
    this.#from = 0;
    this.#to = 0;
  }

  /** True: something was dealt with. False: more bytes are needed. */
  #advance(): boolean {
    switch (this.#phase) {
      case "header":
        return this.#readHeader();
      case "gather":
        if (this.#to - this.#from < this.#gatherBytes) return false;
        this.#gathered(this.#from);
        return true;
      case "data":
        return this.#copyData();
      case "extents":
        return this.#readExtents();
      default:
        return assertNever(this.#phase);
    }
  }

  #readHeader(): boolean {
    const available = this.#to - this.#from;
    if (available < 4) return false;
    const replyMagic = get32(this.#staging, this.#from);
    const headerBytes = replyHeaderBytes(this.#style, replyMagic);
    if (headerBytes === 0)
      throw new NbdProtocolError(`a reply begins with 0x${replyMagic.toString(16)}, which none does`);
    if (available < headerBytes) return false;
    decodeReply(this.#staging, this.#from, this.#header);
    const slot = this.#table.find(this.#header.cookieHigh, this.#header.cookieLow);
    if (slot === undefined) throw new NbdProtocolError("the server answered a request that is not under way");
    if (this.#style === "extended" && get64(this.#staging, this.#from + 16) !== slot.offset) {
      throw this.#wrong(slot, "its reply names another offset");
    }
    this.#from += headerBytes;
    this.#slot = slot;
    if (replyMagic === magic.simpleReply) this.#beginSimple(slot);
    else this.#beginChunk(slot);
    return true;
  }

  #beginSimple(slot: Slot): void {
    const { error } = this.#header;
    if (this.#style !== "simple" && slot.type === command.read) throw this.#wrong(slot, "its reply must have chunks");
    if (error === 0 && slot.type === command.read) {
      this.#beginData(slot, slot.offset, slot.lengthBytes);
      return;
    }
    if (error === 0 && slot.type === command.blockStatus) throw this.#wrong(slot, "its reply must have chunks");
    if (error !== 0) slot.failure = new NbdServerError(describeSlot(slot), error, "");
    this.#chunkEnded(slot);
  }

  #beginChunk(slot: Slot): void {
    const { type, payloadBytes } = this.#header;
    switch (type) {
      case replyType.none:
        if (payloadBytes !== 0) throw this.#wrong(slot, "an empty chunk has a payload");
        if ((this.#header.flags & replyFlag.done) === 0) throw this.#wrong(slot, "an empty chunk is not the last");
        this.#chunkEnded(slot);
        return;
      case replyType.offsetData:
        this.#checkFits(slot, command.read, payloadBytes > offsetDataPrefixBytes);
        if (payloadBytes - offsetDataPrefixBytes > slot.lengthBytes)
          throw this.#wrong(slot, "more data than asked for");
        this.#gather(offsetDataPrefixBytes);
        return;
      case replyType.offsetHole:
        this.#checkFits(slot, command.read, payloadBytes === holeBytes);
        this.#gather(holeBytes);
        return;
      case replyType.blockStatus:
      case replyType.blockStatusExtended:
        this.#beginStatus(slot, type === replyType.blockStatusExtended);
        return;
      default:
        this.#beginError(slot);
    }
  }

  #beginStatus(slot: Slot, extended: boolean): void {
    const count = statusExtentCount(extended, this.#header.payloadBytes);
    const isExpected = extended === (this.#style === "extended") && count !== undefined;
    this.#checkFits(slot, command.blockStatus, isExpected && count <= nbdClientExtentsPerChunkMax);
    this.#gather(statusHeadBytes(extended));
  }

  #beginError(slot: Slot): void {
    const { type, payloadBytes } = this.#header;
    if (type < firstErrorType) throw this.#wrong(slot, `a chunk has the unknown type ${type}`);
    const isBounded = payloadBytes >= errorBytesMin && payloadBytes <= nbdClientErrorChunkBytesMax;
    if (!isBounded) throw this.#wrong(slot, `an error of ${payloadBytes} bytes`);
    this.#gather(payloadBytes);
  }

  #checkFits(slot: Slot, type: number, hasRightLength: boolean): void {
    const { type: chunk, payloadBytes } = this.#header;
    if (slot.type !== type) throw this.#wrong(slot, `a chunk of type ${chunk} does not answer it`);
    if (!hasRightLength) throw this.#wrong(slot, `a chunk of type ${chunk} cannot have ${payloadBytes} bytes here`);
  }

  #gather(byteLength: number): void {
    this.#gatherBytes = byteLength;
    this.#phase = "gather";
  }

  /** What was to be gathered now lies in the staging buffer. */
  #gathered(at: number): void {
    const slot = this.#currentSlot();
    this.#from += this.#gatherBytes;
    const { type, payloadBytes } = this.#header;
    switch (type) {
      case replyType.offsetData:
        this.#beginData(slot, get64(this.#staging, at), payloadBytes - offsetDataPrefixBytes);
        return;
      case replyType.offsetHole:
        this.#takeHole(slot, get64(this.#staging, at), get32(this.#staging, at + 8));
        return;
      case replyType.blockStatus:
      case replyType.blockStatusExtended: {
        const head = this.#staging.subarray(at, this.#from);
        this.#status = new StatusChunk(slot, this.#contexts, head, payloadBytes, this.#style === "extended");
        this.#phase = "extents";
        return;
      }
      default:
        this.#takeError(slot, this.#staging.subarray(at, this.#from));
    }
  }

  #beginData(slot: Slot, offset: number, byteLength: number): void {
    this.#cover(slot, offset, byteLength);
    this.#dataAt = slot.bufferStart + (offset - slot.offset);
    this.#dataBytes = byteLength;
    this.#phase = "data";
  }

  #takeHole(slot: Slot, offset: number, byteLength: number): void {
    if (byteLength === 0) throw this.#wrong(slot, "a hole of no bytes");
    this.#cover(slot, offset, byteLength);
    const start = slot.bufferStart + (offset - slot.offset);
    this.#dataBuffer().fill(0, start, start + byteLength);
    this.#chunkEnded(slot);
  }

  #cover(slot: Slot, offset: number, byteLength: number): void {
    const isWithin =
      offset >= slot.offset && byteLength <= slot.lengthBytes && offset - slot.offset <= slot.lengthBytes - byteLength;
    if (!isWithin) throw this.#wrong(slot, `${byteLength} bytes at ${offset} lie outside of it`);
    if ((slot.flags & commandFlag.doNotFragment) !== 0 && !slot.coverage.isEmpty) {
      throw this.#wrong(slot, "its reply is in pieces although it must not be");
    }
    const result = slot.coverage.add(offset, byteLength);
    if (result === "overlap") throw this.#wrong(slot, `${byteLength} bytes at ${offset} were answered already`);
    if (result === "scattered") throw this.#wrong(slot, "its reply is in too many pieces");
    slot.idleLooks = 0;
  }

  #takeError(slot: Slot, payload: Buffer): void {
    const decoded = decodeErrorPayload(this.#header.type, payload);
    if (decoded === undefined) throw this.#wrong(slot, "an error in a wrong form");
    const { position } = decoded;
    if (position !== undefined && (position < slot.offset || position - slot.offset >= slot.lengthBytes)) {
      throw this.#wrong(slot, `an error at ${position} lies outside of it`);
    }
    // The first one counts: those after it often only follow from it.
    slot.failure ??= new NbdServerError(describeSlot(slot), decoded.error, decoded.text, position);
    this.#chunkEnded(slot);
  }

  #copyData(): boolean {
    if (this.#from === this.#to) return false;
    const end = Math.min(this.#to, this.#from + this.#dataBytes);
    const count = this.#staging.copy(this.#dataBuffer(), this.#dataAt, this.#from, end);
    this.#from += count;
    this.#dataTaken(count);
    return true;
  }

  #dataTaken(byteLength: number): void {
    const slot = this.#currentSlot();
    slot.idleLooks = 0;
    this.#dataAt += byteLength;
    this.#dataBytes -= byteLength;
    assert(this.#dataBytes >= 0, "no more was received than there was room for");
    if (this.#dataBytes === 0) this.#chunkEnded(slot);
  }

  #readExtents(): boolean {
    const status = this.#status;
    assert(status !== undefined, "the chunk's head was read");
    const extentBytes = statusExtentBytes(this.#style === "extended");
    if (this.#to - this.#from < extentBytes) return false;
    while (!status.isComplete && this.#to - this.#from >= extentBytes) {
      status.add(this.#staging, this.#from);
      this.#from += extentBytes;
    }
    const slot = this.#currentSlot();
    slot.idleLooks = 0;
    if (status.isComplete) {
      this.#status = undefined;
      slot.statuses.set(status.contextId, status.extents);
      this.#chunkEnded(slot);
    }
    return true;
  }

  #chunkEnded(slot: Slot): void {
    this.#phase = "header";
    this.#slot = undefined;
    if ((this.#header.flags & replyFlag.done) === 0) return;
    if (slot.failure === undefined) this.#checkComplete(slot);
    this.#answered(slot);
  }

  /** A success means that all that was asked for was answered. */
  #checkComplete(slot: Slot): void {
    if (slot.type === command.read && !slot.coverage.complete) throw this.#wrong(slot, "its reply leaves bytes out");
    if (slot.type === command.blockStatus && slot.statuses.size !== this.#contexts.length) {
      throw this.#wrong(slot, "its reply leaves metadata contexts out");
    }
  }

  #currentSlot(): Slot {
    assert(this.#slot !== undefined, "a chunk is being read");
    return this.#slot;
  }

  #dataBuffer(): Buffer {
    const operation = this.#currentSlot().operation;
    assert(operation !== undefined, "the request is under way");
    return operation.spec.buffer;
  }

  #wrong(slot: Slot, what: string): NbdProtocolError {
    return new NbdProtocolError(`${describeSlot(slot)}: ${what}`);
  }
}
