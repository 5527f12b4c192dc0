/**
 * A connection that carries frames: whole and sound ones only, in their order, to whoever handles them at the moment;
 * with a heartbeat in both directions, and with an end that says why.
 *
 *     open ──(farewell said or heard)──▶ leaving ──(the socket closed, or too slow in doing so)──▶ over
 *       └───────(cut, silent, nonsense while batches were on their way)─────────────────────────▶ over
 */
import { assert } from "#src/core/assert.ts";
import { ReconnectError, RefuseError, RetryError } from "#src/core/errors.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import { raiseOwnFault } from "#src/host/own-fault.ts";
import type { Connection, Receiver } from "#src/host/socket.ts";
import { decodeFarewell, encodeFarewell } from "./farewell.ts";
import { type FrameType, frameType } from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameSender } from "./frame-sender.ts";
import { Heartbeat } from "./heartbeat.ts";

export interface FrameHandler {
  /**
   * A frame's body lies in the range until this returns. What is thrown is told to the peer and ends the channel; a fault
   * of this program ends the process.
   */
  frame(type: FrameType, bytes: Buffer, start: number, end: number): void;
  /** All that one read brought was handed over. */
  endOfRead(): void;
  /** Not blocked any more, or the body of a large frame that was held is free. */
  drained(hasFreedBulk: boolean): void;
  /** The channel is of no more use, and why. Called once, and never from within a call to the channel. */
  closed(error: Error): void;
}

export interface ChannelTiming {
  readonly clock: Clock;
  readonly heartbeatMs: number;
  readonly silenceMs: number;
  readonly farewellMs: number;
}

const noBody = Buffer.alloc(0);
/** What still comes in when nobody listens any more. */
const scrap = Buffer.alloc(4096);

export class FrameChannel implements Receiver {
  readonly peer: string;
  readonly #connection: Connection;
  readonly #timing: ChannelTiming;
  readonly #reader = new FrameReader();
  readonly #sender: FrameSender;
  readonly #heartbeat: Heartbeat;
  #handler: FrameHandler;
  #state: "open" | "leaving" | "over" = "open";
  #isTrusted = false;
  #isReading = false;
  #hasEnded = false;
  /** Something was said to the peer in the course of this read. */
  #hasAnswered = false;
  #beat: Timer | undefined;
  #patience: Timer | undefined;
  readonly #end = Promise.withResolvers<void>();

  constructor(connection: Connection, timing: ChannelTiming, handler: FrameHandler) {
    this.peer = connection.peer;
    this.#connection = connection;
    this.#timing = timing;
    this.#handler = handler;
    this.#sender = new FrameSender(connection);
    this.#heartbeat = new Heartbeat(timing.heartbeatMs, timing.silenceMs);
  }

  start(): void {
    this.#connection.start(this);
  }

  /** Another one goes on from the next frame on. */
  set handler(handler: FrameHandler) {
    this.#handler = handler;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** The socket takes nothing for now: what can wait for `drained` had better do so. */
  get isBlocked(): boolean {
    return this.#sender.isBlocked;
  }

  /** The bytes of a large frame must stay as they are. */
  get holdsBulk(): boolean {
    return this.#state === "open" && this.#sender.holdsBulk;
  }

  /** Memory for what comes in. */
  get heldBytes(): number {
    return this.#reader.heldBytes;
  }

  /** The peer has proved who it is. From now on both sides say now and then that they live. */
  trust(): void {
    assert(!this.#isTrusted, "trust is won once");
    this.#isTrusted = true;
    this.#reader.trust();
    if (this.isOpen) this.#waitForBeat();
  }

  /** Sends a small frame, now or as soon as the socket takes it. */
  send(type: FrameType, body: Buffer = noBody): void {
    if (this.#state !== "open") return;
    this.#heartbeat.sent();
    this.#hasAnswered = true;
    if (!this.#sender.sendControl(type, body)) {
      this.#breakOff(new ReconnectError("the other side takes nothing of what is said to it"));
    }
  }

  /** False: the bytes must stay as they are until `drained` or `closed`. */
  sendBulk(type: FrameType, pieces: readonly Buffer[]): boolean {
    if (this.#state !== "open") return true;
    this.#heartbeat.sent();
    this.#hasAnswered = true;
    return this.#sender.sendBulk(type, pieces);
  }

  /** The peer answers at once, if it is near. */
  expectAnswer(): void {
    if (this.#state === "open") this.#connection.expectAnswer();
  }

  /** Ends the channel and tells the peer why, unless that would take the bytes of a large frame with it. */
  close(error: Error): void {
    // What peers who have proved who they are bring about others rely on: an end of the channel would hide the fault.
    if (this.#isTrusted) raiseOwnFault(error, this.#timing.clock);
    if (this.#state !== "open") return;
    if (this.#sender.holdsBulk) this.#breakOff(error);
    else this.#leave(error, true);
  }

  /**
   * As `close`, but what was sent before leaves first, large frames as well; their bytes must stay as they are until the
   * channel is over.
   */
  part(error: Error): void {
    if (this.#state === "open") this.#leave(error, true);
  }

  /** Resolves when nothing of the connection is left. */
  get over(): Promise<void> {
    return this.#end.promise;
  }

  // Receiver

  target(): Buffer {
    return this.#state === "open" ? this.#reader.target() : scrap;
  }

  received(_buffer: Buffer, byteLength: number): boolean {
    if (this.#state !== "open") return false;
    this.#heartbeat.received();
    this.#hasAnswered = false;
    this.#isReading = true;
    this.#sender.cork();
    try {
      this.#reader.received(byteLength, this.#take);
      if (this.isOpen) this.#handler.endOfRead();
    } catch (error) {
      this.close(error as Error);
    }
    this.#isReading = false;
    this.#sender.uncork();
    this.#endWhenClear();
    return this.#hasAnswered && this.isOpen;
  }

  readonly #take = (type: FrameType, bytes: Buffer, start: number, end: number): boolean => {
    if (type === frameType.farewell) this.#farewell(bytes.subarray(start, end));
    else if (type !== frameType.heartbeat || !this.#isTrusted) this.#handler.frame(type, bytes, start, end);
    return this.isOpen;
  };

  #farewell(body: Buffer): void {
    const error = decodeFarewell(body);
    if (this.#sender.holdsBulk) this.#breakOff(error);
    else this.#leave(this.#isTrusted ? error : asSaidByStranger(error), false);
  }

  drained(): void {
    if (this.#state === "over") return;
    const hasFreedBulk = this.#sender.drained();
    if (this.#state === "leaving") this.#endWhenClear();
    else if (hasFreedBulk || !this.#sender.isBlocked) this.#handler.drained(hasFreedBulk);
  }

  ended(): void {
    if (this.#state === "open") this.#breakOff(new ReconnectError("the other side hung up"));
  }

  closed(error?: Error): void {
    const why = error === undefined ? "the connection was cut" : `the connection was cut: ${error.message}`;
    if (this.#state === "open") this.#tell(new ReconnectError(why, { cause: error }));
    this.#finish();
  }

  // The end

  #leave(error: Error, saysWhy: boolean): void {
    this.#state = "leaving";
    this.#beat?.cancel();
    if (saysWhy) this.#sender.sendControl(frameType.farewell, encodeFarewell(error));
    this.#patience = this.#timing.clock.timer(this.#timing.farewellMs, () => this.#connection.destroy());
    this.#tell(error);
    if (!this.#isReading) this.#endWhenClear();
  }

  #endWhenClear(): void {
    if (this.#state === "leaving" && !this.#hasEnded && this.#sender.isClear) {
      this.#hasEnded = true;
      this.#connection.end();
    }
  }

  #breakOff(error: Error): void {
    this.#state = "leaving";
    this.#hasEnded = true;
    this.#beat?.cancel();
    this.#connection.destroy();
    this.#tell(error);
  }

  #tell(error: Error): void {
    const handler = this.#handler;
    this.#timing.clock.soon(() => handler.closed(error));
  }

  #finish(): void {
    this.#state = "over";
    this.#beat?.cancel();
    this.#patience?.cancel();
    this.#end.resolve();
  }

  #waitForBeat(): void {
    this.#beat = this.#timing.clock.timer(this.#timing.heartbeatMs, () => {
      this.#reader.rest();
      const answer = this.#heartbeat.beat();
      if (answer === "give up") {
        this.#breakOff(new ReconnectError(`nothing was heard from the other side for ${this.#timing.silenceMs} ms`));
        return;
      }
      // What waits to leave says as much as a heartbeat behind it would.
      if (answer === "say so" && !this.isBlocked) this.send(frameType.heartbeat);
      this.#waitForBeat();
    });
  }
}

/** Strangers may say what they want; nobody does more about it than to try again. */
function asSaidByStranger(error: Error): Error {
  return error instanceof ReconnectError || error instanceof RetryError ? error : new RefuseError(error.message);
}
