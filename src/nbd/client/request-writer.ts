/**
 * Gathers requests and sends them together: headers and small payloads are copied into a slab, large payloads go as
 * pieces of their own from where they lie.
 *
 *     slab     [ header data header | header | header … ]
 *     pieces     <------------------>  payload  <------->     in the order in which they are sent
 *
 * While the connection holds bytes nothing more is taken than fits into the slab; the rest waits with the caller.
 */
import { assert } from "#src/core/assert.ts";
import {
  nbdClientCopyBytesMax,
  nbdClientSendBytesMax,
  nbdClientSendPieceCountMax,
  nbdClientSlabBytes,
} from "#src/core/nbd-limits.ts";
import type { Connection } from "#src/host/socket.ts";
import { encodeRequest, type RequestHeader, requestHeaderLength } from "../request-codec.ts";

export class RequestWriter {
  readonly #connection: Connection;
  readonly #extended: boolean;
  readonly #slab = Buffer.allocUnsafeSlow(nbdClientSlabBytes);
  /** Bytes of the slab in use, and where the part begins that is not in `#pieces` yet. */
  #used = 0;
  #runStart = 0;
  #pieces: Buffer[] = [];
  /** Bytes that the connection holds. */
  #leavingBytes = 0;
  #addedBytes = 0;
  #takenBytes = 0;

  constructor(connection: Connection, extended: boolean) {
    this.#connection = connection;
    this.#extended = extended;
  }

  /** Bytes of all requests so far, and how many of those are out of this program's hands. */
  get addedBytes(): number {
    return this.#addedBytes;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  get isEmpty(): boolean {
    return this.#addedBytes === this.#takenBytes;
  }

  /** Whether `add` may be called. Sends what there is if that makes room. */
  hasRoom(): boolean {
    if (this.#roomLeft()) return true;
    this.flush();
    return this.#roomLeft();
  }

  #roomLeft(): boolean {
    const oneMoreBytes = requestHeaderLength(this.#extended) + nbdClientCopyBytesMax;
    return this.#used + oneMoreBytes <= this.#slab.length && this.#pieces.length < nbdClientSendPieceCountMax;
  }

  /** Takes a request; its payload, if it has one, must stay as it is until the reply came. */
  add(header: Readonly<RequestHeader>, buffer: Buffer, start: number): void {
    assert(this.#roomLeft(), "whoever adds a request has asked for room");
    this.#used += encodeRequest(this.#slab, this.#used, this.#extended, header);
    this.#addedBytes += requestHeaderLength(this.#extended) + header.payloadBytes;
    if (header.payloadBytes === 0) return;
    if (header.payloadBytes <= nbdClientCopyBytesMax) {
      this.#used += buffer.copy(this.#slab, this.#used, start, start + header.payloadBytes);
      return;
    }
    this.#closeRun();
    const end = start + header.payloadBytes;
    for (let at = start; at < end; at += nbdClientSendBytesMax) {
      this.#pieces.push(buffer.subarray(at, Math.min(end, at + nbdClientSendBytesMax)));
    }
  }

  /** Sends as much as the connection takes now. True if something was sent. */
  flush(): boolean {
    if (this.isEmpty || this.#leavingBytes > 0) return false;
    if (this.#pieces.length === 0) this.#sendSlab();
    else this.#sendPieces();
    return true;
  }

  /** The connection took what it held. */
  drained(): void {
    this.#takenBytes += this.#leavingBytes;
    this.#leavingBytes = 0;
    if (this.isEmpty) this.#reuseSlab();
    else this.flush();
  }

  #sendSlab(): void {
    const start = this.#runStart;
    this.#runStart = this.#used;
    this.#sent(this.#connection.send(this.#slab, start, this.#used), this.#used - start);
  }

  #sendPieces(): void {
    this.#closeRun();
    while (this.#pieces.length > 0 && this.#leavingBytes === 0) {
      const group = this.#nextGroup();
      const groupBytes = group.reduce((sum, piece) => sum + piece.length, 0);
      this.#sent(this.#connection.sendAll(group), groupBytes);
    }
  }

  #nextGroup(): Buffer[] {
    let groupBytes = 0;
    let count = 0;
    for (const piece of this.#pieces) {
      if (count > 0 && groupBytes + piece.length > nbdClientSendBytesMax) break;
      groupBytes += piece.length;
      count++;
    }
    return this.#pieces.splice(0, count);
  }

  #sent(whole: boolean, byteLength: number): void {
    if (!whole) {
      this.#leavingBytes = byteLength;
      return;
    }
    this.#takenBytes += byteLength;
    if (this.isEmpty) this.#reuseSlab();
  }

  #closeRun(): void {
    if (this.#used > this.#runStart) this.#pieces.push(this.#slab.subarray(this.#runStart, this.#used));
    this.#runStart = this.#used;
  }

  #reuseSlab(): void {
    this.#used = 0;
    this.#runStart = 0;
  }
}
