/**
 * Numbers frames and sends them in their order. What the socket does not take at once waits: small frames as copies, up
 * to a bound, and one large one at a time, whose body stays with the caller.
 */
import { assert } from "#src/core/assert.ts";
import { wireControlQueueBytesMax } from "#src/core/limits.ts";
import type { Connection } from "#src/host/socket.ts";
import { encodeBulkHeader, encodeFrame, type FrameType, isBulk, nextFrameNumber } from "./frame.ts";

export class FrameSender {
  readonly #connection: Connection;
  #number = 0;
  #waiting: Buffer[] = [];
  #waitingControlBytes = 0;
  #bulk: "none" | "waiting" | "leaving" = "none";
  #isCorked = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The body of a large frame is still needed. */
  get holdsBulk(): boolean {
    return this.#bulk !== "none";
  }

  /** The socket takes nothing for now; `drained` follows. */
  get isBlocked(): boolean {
    return this.#connection.unsentBytes > 0;
  }

  /** All that was sent is on its way. */
  get isClear(): boolean {
    return this.#waiting.length === 0 && !this.isBlocked;
  }

  /** False: the peer takes nothing, and more than the bound waits for it already. */
  sendControl(type: FrameType, body: Buffer): boolean {
    const frame = encodeFrame(type, this.#number, body);
    if (this.#waitingControlBytes + frame.length > wireControlQueueBytesMax) return false;
    this.#number = nextFrameNumber(this.#number);
    this.#waitingControlBytes += frame.length;
    this.#waiting.push(frame);
    if (!this.#isCorked) this.#sendWaiting();
    return true;
  }

  /** True: taken, the bytes are free. False: they must stay as they are until `drained` answers true. */
  sendBulk(type: FrameType, pieces: readonly Buffer[]): boolean {
    assert(isBulk(type) && this.#bulk === "none", "large frames leave one after the other");
    this.#waiting.push(encodeBulkHeader(type, this.#number, pieces), ...pieces);
    this.#number = nextFrameNumber(this.#number);
    this.#bulk = "waiting";
    this.#sendWaiting();
    return !this.holdsBulk;
  }

  /** Small frames wait for `uncork`, so that they leave as one. Large ones take them along. */
  cork(): void {
    this.#isCorked = true;
  }

  uncork(): void {
    this.#isCorked = false;
    this.#sendWaiting();
  }

  #sendWaiting(): void {
    if (this.#waiting.length === 0 || this.isBlocked) return;
    const pieces = this.#waiting;
    this.#waiting = [];
    this.#waitingControlBytes = 0;
    if (this.#bulk === "waiting") this.#bulk = "leaving";
    if (this.#connection.sendAll(pieces) && this.#bulk === "leaving") this.#bulk = "none";
  }

  /** The connection took all it was given. Answers whether the body of a large frame has become free. */
  drained(): boolean {
    const heldBulk = this.holdsBulk;
    if (this.#bulk === "leaving") this.#bulk = "none";
    // One that had to wait behind small frames may leave at once now.
    this.#sendWaiting();
    return heldBulk && !this.holdsBulk;
  }
}
