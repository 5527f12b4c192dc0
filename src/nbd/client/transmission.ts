/**
 * The phase after the handshake: operations in, requests out, replies in, callbacks out.
 *
 *   submit ─▶ queue ─▶ table (under way) ─▶ writer ─▶ connection ─▶ reader ─▶ done
 *             bounded   bounded              one call per turn of the event loop
 *
 * Invariants: a callback comes exactly once for each operation that was taken, and never from inside `submit`; after
 * the first failure of the connection no callback comes before the connection is closed, because until then it may
 * still hold the callers' memory; from then on every operation fails with that first failure.
 */
import { BoundedQueue } from "#src/core/bounded-queue.ts";
import { nbdClientInFlightBytesMax, nbdClientQueueBytesMax, nbdClientQueueCountMax } from "#src/core/nbd-limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { Connection, Receiver } from "#src/host/socket.ts";
import { command, commandFlag, nbdError } from "../constants.ts";
import type { ReplyStyle } from "../reply-codec.ts";
import { emptyRequestHeader } from "../request-codec.ts";
import { NbdConnectionError, NbdProtocolError } from "./errors.ts";
import type { MetaContext } from "./handshake.ts";
import type { Operation } from "./operation.ts";
import { ReplyReader } from "./reply-reader.ts";
import { describeSlot } from "./request-name.ts";
import { RequestTable, type Slot } from "./request-table.ts";
import { RequestWriter } from "./request-writer.ts";
import { StallWatch } from "./stall-watch.ts";

export interface TransmissionSettings {
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
  /** Until it is left: for as long as the connection stands. */
  readonly waitsForFlushes: boolean;
  readonly style: ReplyStyle;
  readonly contexts: readonly MetaContext[];
}

type State = "open" | "leaving" | "left" | "failed" | "closed";

const nothing = Buffer.alloc(0);

export class Transmission implements Receiver {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #requestTimeoutMs: number;
  readonly #extended: boolean;
  readonly #queue = new BoundedQueue<Operation>({
    countMax: nbdClientQueueCountMax,
    bytesMax: nbdClientQueueBytesMax,
  });
  readonly #table = new RequestTable();
  readonly #writer: RequestWriter;
  readonly #reader: ReplyReader;
  readonly #watch: StallWatch;
  readonly #header = emptyRequestHeader();
  #state: State = "open";
  /** The first thing that went wrong with the connection; it stays. */
  #failure: Error | undefined;
  #leaveReason: Error | undefined;
  #leaveTimer: Timer | undefined;
  #flushIsDue = false;
  #isReceiving = false;
  #roomWaiters: (() => void)[] = [];
  #closedWaiters: (() => void)[] = [];

  constructor(connection: Connection, settings: TransmissionSettings) {
    const { clock, requestTimeoutMs, waitsForFlushes, style, contexts } = settings;
    this.#connection = connection;
    this.#clock = clock;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#extended = style === "extended";
    this.#writer = new RequestWriter(connection, this.#extended);
    this.#reader = new ReplyReader(style, contexts, this.#table, (slot) => this.#answered(slot));
    const waits = (): boolean => waitsForFlushes && this.#state === "open";
    const stalled = (slot: Slot): void => this.#stalled(slot);
    this.#watch = new StallWatch(clock, requestTimeoutMs, this.#table, this.#writer, waits, stalled);
  }

  /** Why this connection takes nothing more. */
  get failure(): Error | undefined {
    return this.#failure ?? this.#leaveReason;
  }

  /** False: too much waits already, and `done` will not be called for this. */
  submit(operation: Operation): boolean {
    const { failure } = this;
    if (failure !== undefined) {
      // The connection holds nothing of this operation, so nobody has to wait until it is closed.
      this.#clock.soon(() => operation.spec.done(failure));
      return true;
    }
    // Whatever has to wait for room fits in when half of the queue is free.
    const waitingBytes = operation.carriesData ? Math.min(operation.spec.lengthBytes, nbdClientQueueBytesMax / 2) : 0;
    if (!this.#queue.push(operation, waitingBytes)) return false;
    this.#issue();
    return true;
  }

  /** Calls back once, later, when it is worth trying again after a `submit` that was refused. */
  whenRoom(callback: () => void): void {
    this.#roomWaiters.push(callback);
    if (this.#hasRoom()) this.#clock.soon(() => this.#tellOfRoom());
  }

  /** Takes nothing more, lets all that was taken come to its end, says so to the server and hangs up. */
  leave(reason: Error): void {
    if (this.#state !== "open") return;
    this.#leaveReason = reason;
    this.#state = "leaving";
    this.#leaveIfIdle();
    this.#tellOfRoom();
  }

  /** Gives the connection up at once. */
  fail(error: Error): void {
    if (this.#state === "failed" || this.#state === "closed") return;
    this.#state = "failed";
    this.#failure ??= error;
    this.#reader.stop();
    this.#watch.stop();
    this.#connection.destroy();
  }

  whenClosed(callback: () => void): void {
    if (this.#state === "closed") this.#clock.soon(callback);
    else this.#closedWaiters.push(callback);
  }

  get #isUsable(): boolean {
    return this.#state === "open" || this.#state === "leaving";
  }

  // What the connection tells.

  target(): Buffer {
    return this.#reader.target();
  }

  received(_buffer: Buffer, byteLength: number): boolean {
    this.#isReceiving = true;
    try {
      this.#reader.received(byteLength);
      if (!this.#isUsable) return false;
      this.#issue();
      this.#tellOfRoom();
      this.#leaveIfIdle();
      return this.#writer.flush();
    } catch (error) {
      // Anything else is a mistake in this program, and not to be taken for the server's.
      if (!(error instanceof NbdProtocolError)) throw error;
      this.fail(error);
      return false;
    } finally {
      this.#isReceiving = false;
    }
  }

  drained(): void {
    this.#writer.drained();
    if (this.#state === "left") this.#hangUpIfSent();
    if (!this.#isUsable) return;
    this.#issue();
    this.#tellOfRoom();
  }

  ended(): void {
    if (this.#state === "left") return;
    this.fail(new NbdConnectionError(`the server hung up with ${this.#table.count} requests under way`));
  }

  closed(error?: Error): void {
    const loss = this.#failure ?? new NbdConnectionError("the connection was lost", { cause: error });
    if (this.#state !== "left") this.#failure = loss;
    this.#state = "closed";
    this.#reader.stop();
    this.#watch.stop();
    this.#leaveTimer?.cancel();
    this.#failAll(loss);
    this.#tellOfRoom();
    for (const callback of this.#closedWaiters.splice(0)) callback();
  }

  // On the way out.

  /** Sends as many of the waiting operations, or pieces of them, as there is room for. */
  #issue(): void {
    for (let operation = this.#queue.peek(); operation !== undefined; operation = this.#queue.peek()) {
      // Of an operation that failed meanwhile the rest is not worth sending.
      if (operation.failure === undefined && !this.#issuePiece(operation)) break;
      if (operation.isSent) this.#queue.shift();
    }
    if (!this.#writer.isEmpty) this.#flushSoon();
  }

  #issuePiece(operation: Operation): boolean {
    const pieceBytes = operation.nextPieceBytes;
    const { spec } = operation;
    if (this.#table.isFull || !this.#writer.hasRoom()) return false;
    if (operation.carriesData && this.#table.payloadBytes + pieceBytes > nbdClientInFlightBytesMax) return false;
    const slot = this.#table.take(operation, pieceBytes);
    operation.issued(pieceBytes);
    this.#header.type = spec.type;
    this.#header.flags = spec.flags;
    this.#header.cookieHigh = slot.generation;
    this.#header.cookieLow = slot.index;
    this.#header.offset = slot.offset;
    this.#header.length = pieceBytes;
    this.#header.payloadBytes = spec.type === command.write ? pieceBytes : 0;
    if (this.#extended && spec.type === command.write) this.#header.flags |= commandFlag.payloadLength;
    this.#writer.add(this.#header, spec.buffer, slot.bufferStart);
    slot.sentEnd = this.#writer.addedBytes;
    this.#watch.start();
    return true;
  }

  /** All that is asked for in one turn of the event loop leaves together. */
  #flushSoon(): void {
    if (this.#isReceiving || this.#flushIsDue) return;
    this.#flushIsDue = true;
    this.#clock.soon(() => {
      this.#flushIsDue = false;
      if (this.#isUsable) this.#writer.flush();
    });
  }

  // On the way in.

  #answered(slot: Slot): void {
    const { operation, failure } = slot;
    if (operation === undefined) return;
    operation.piecesUnderWay--;
    if (failure !== undefined) operation.failure ??= failure;
    else if (slot.type === command.blockStatus) operation.statuses = new Map(slot.statuses);
    this.#table.give(slot);
    if (failure?.errorNumber === nbdError.shutdown) {
      this.leave(new NbdConnectionError("the server is shutting down", { cause: failure }));
    }
    if (operation.isOver) operation.spec.done(operation.failure ?? null);
  }

  #stalled(slot: Slot): void {
    this.fail(new NbdConnectionError(`no progress in ${this.#requestTimeoutMs} ms: ${describeSlot(slot)}`));
  }

  #failAll(error: Error): void {
    const operations = new Set<Operation>();
    for (const slot of this.#table.busy()) {
      if (slot.operation !== undefined) operations.add(slot.operation);
      this.#table.give(slot);
    }
    for (let waiting = this.#queue.shift(); waiting !== undefined; waiting = this.#queue.shift())
      operations.add(waiting);
    for (const operation of operations) {
      // What had failed already, with its last piece answered, was told so; it only had not left the queue yet.
      if (operation.isOver) continue;
      operation.failure ??= error;
      operation.spec.done(operation.failure);
    }
  }

  // Room.

  #hasRoom(): boolean {
    if (this.failure !== undefined) return true;
    return this.#queue.count <= this.#queue.countMax / 2 && this.#queue.bytes <= this.#queue.bytesMax / 2;
  }

  /** Those who wait are told in turn, as long as there is room; who is refused again waits again. */
  #tellOfRoom(): void {
    if (this.#roomWaiters.length === 0 || !this.#hasRoom()) return;
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const [index, callback] of waiters.entries()) {
      if (this.#hasRoom()) callback();
      else {
        this.#roomWaiters = [...waiters.slice(index), ...this.#roomWaiters];
        return;
      }
    }
  }

  // Leaving.

  #leaveIfIdle(): void {
    if (this.#state !== "leaving" || this.#queue.count > 0 || this.#table.count > 0) return;
    this.#state = "left";
    if (this.#writer.hasRoom()) {
      Object.assign(this.#header, emptyRequestHeader(), { type: command.disconnect });
      this.#writer.add(this.#header, nothing, 0);
      this.#writer.flush();
    }
    this.#leaveTimer = this.#clock.timer(this.#requestTimeoutMs, () => this.#connection.destroy());
    this.#hangUpIfSent();
  }

  #hangUpIfSent(): void {
    if (this.#writer.isEmpty) this.#connection.end();
  }
}
