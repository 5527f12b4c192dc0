/**
 * One connection's way out. In a batch, replies are gathered in the shared slab and leave in one call; replies that
 * have memory of their own go between. What a slow peer does not take is held here, in order, until it does.
 *
 * Invariant: between batches the shared slab holds nothing of this connection.
 */
import { assert } from "#src/core/assert.ts";
import { nbdRepliesPerSend, nbdSendBytes } from "#src/core/nbd-limits.ts";
import type { Connection } from "#src/host/socket.ts";
import type { MemoryShare } from "./memory.ts";
import type { SharedBuffers } from "./shared-buffers.ts";

export class ReplySender {
  readonly #connection: Connection;
  readonly #shared: SharedBuffers;
  readonly #memory: MemoryShare;
  /** Bytes of the slab in use, and where the part begins that is not in `#pieces` yet. */
  #used = 0;
  #replyCount = 0;
  #runStart = 0;
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  /** Memory behind `#pieces`, to be given back when they are sent. */
  #owned: Buffer[] = [];
  /** Memory behind what the connection holds right now. */
  #leaving: Buffer[] = [];
  #over = false;

  constructor(connection: Connection, shared: SharedBuffers, memory: MemoryShare) {
    this.#connection = connection;
    this.#shared = shared;
    this.#memory = memory;
  }

  /** True while the peer has not taken what it asked for: no reason to do more for it. */
  get busy(): boolean {
    return this.#connection.unsentBytes > 0;
  }

  /** Makes sure of `byteLength` bytes in the slab and tells where they begin. */
  room(byteLength: number): number {
    if (this.#used + byteLength > this.#shared.slab.length) this.flush();
    assert(this.#used + byteLength <= this.#shared.slab.length, "a reply in the slab fits into it");
    return this.#used;
  }

  get slab(): Buffer {
    return this.#shared.slab;
  }

  /** `byteLength` bytes from where `room` said are a reply. */
  advance(byteLength: number): void {
    this.#used += byteLength;
    this.#replyCount++;
    // With so many answers the peer has something to do while the rest of the batch is worked on.
    if (this.#used >= nbdSendBytes || this.#replyCount >= nbdRepliesPerSend) this.flush();
  }

  /** Appends a reply in memory of its own, which is given back when it is sent. */
  append(buffer: Buffer, start: number, end: number): void {
    this.#closeRun();
    this.#pieces.push(buffer.subarray(start, end));
    this.#owned.push(buffer);
    this.#pieceBytes += end - start;
    if (this.#pieceBytes >= nbdSendBytes) this.flush();
  }

  #closeRun(): void {
    if (this.#used > this.#runStart) this.#pieces.push(this.#shared.slab.subarray(this.#runStart, this.#used));
    this.#runStart = this.#used;
  }

  /** Sends all there is, or holds it until the peer takes it; the slab is free afterwards. */
  flush(): void {
    const used = this.#used;
    this.#replyCount = 0;
    if (used === 0 && this.#pieces.length === 0) return;
    if (this.#over) this.#drop();
    else if (this.#connection.unsentBytes > 0) this.#holdSlab();
    else if (this.#pieces.length === 0 && this.#shared.mayLendSlab) this.#sendSlab(used);
    else this.#sendPieces();
  }

  #sendSlab(used: number): void {
    this.#used = 0;
    this.#runStart = 0;
    if (!this.#connection.send(this.#shared.slab, 0, used)) this.#leaving.push(this.#shared.lendSlab());
  }

  #sendPieces(): void {
    this.#holdSlab();
    const pieces = this.#pieces;
    this.#leaving.push(...this.#owned);
    this.#pieces = [];
    this.#owned = [];
    this.#pieceBytes = 0;
    if (this.#connection.sendAll(pieces)) this.#giveBack(this.#leaving);
  }

  /** Moves what is in the slab to memory of its size, so that a slow peer cannot hold a whole slab for a few bytes. */
  #holdSlab(): void {
    if (this.#used === 0) return;
    const slab = this.#shared.slab;
    this.#closeRun();
    const copy = this.#memory.takeForReplies(this.#used);
    slab.copy(copy, 0, 0, this.#used);
    const moved = (piece: Buffer): Buffer => {
      const at = piece.buffer === slab.buffer ? piece.byteOffset - slab.byteOffset : -1;
      return at >= 0 && at < slab.length ? copy.subarray(at, at + piece.length) : piece;
    };
    this.#pieces = this.#pieces.map(moved);
    this.#owned.push(copy);
    this.#used = 0;
    this.#runStart = 0;
  }

  /** The connection took all that it held. */
  drained(): void {
    this.#giveBack(this.#leaving);
    if (this.#pieces.length > 0) this.#sendPieces();
  }

  /** The connection is gone: nothing of this will be sent. */
  drop(): void {
    this.#over = true;
    this.#giveBack(this.#leaving);
    this.#drop();
  }

  #drop(): void {
    this.#giveBack(this.#owned);
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#used = 0;
    this.#runStart = 0;
  }

  #giveBack(buffers: Buffer[]): void {
    for (const buffer of buffers.splice(0)) if (!this.#shared.takeSlabBack(buffer)) this.#memory.give(buffer);
  }
}
