/**
 * The fast way over a plain socket. Node's event loop says when bytes came and reads the first of them straight into
 * the receiver's buffer (`onread`); all the rest is done on the descriptor with synchronous calls that never wait: a
 * reply costs one system call and no request object. After a small batch the peer probably waits for just that reply,
 * so the socket is looked at again for some microseconds before the thread goes to sleep: at depth 1 waking up is
 * most of the latency. The looking adapts: it stops where it finds nothing.
 */
import fs from "node:fs";
import net from "node:net";
import { withoutFirst } from "#src/core/pieces.ts";
import type { Connection, Receiver } from "../socket.ts";
import { errorNumber, libc } from "./libc.ts";
import { StreamSender } from "./stream-sender.ts";
import { ThreadTurns } from "./thread-turns.ts";
import { Wakefulness } from "./wakefulness.ts";

/** Looks in a row before giving up; each costs about 0.4 µs. */
const looksPerBatch = 40;
/** Batches that one connection may get in a row while others wait in the event loop. */
const batchesPerTurn = 16;
/** After this many vain series of looks in a row, looking pauses for as many batches, doubling up to the second number. */
const vainSeriesBeforePause = 4;
const pausedBatchesMax = 256;
/** Of the connections of a thread. */
const turns = new ThreadTurns();

/** The parts of a socket's handle that Node has in every version and documents in none. */
interface SocketHandle {
  readonly fd?: number;
}

interface SocketWithHandle {
  _handle: SocketHandle | null;
}

export class DescriptorConnection implements Connection {
  readonly peer: string;
  readonly #handle: SocketHandle;
  readonly #fd: number;
  #socket: net.Socket;
  #receiver: Receiver | undefined;
  #target: Buffer = Buffer.alloc(0);
  /** For what the descriptor did not take. */
  #sender: StreamSender;
  readonly #wakefulness = new Wakefulness();
  #paused = false;
  #over = false;
  /** The socket around the handle since another connection took it over. */
  #taken: net.Socket | undefined;
  #vainSeries = 0;
  #batchesWithoutLooking = 0;

  /** Undefined where the host offers no descriptor; the socket is then untouched. */
  static over(socket: net.Socket, peer: string): DescriptorConnection | undefined {
    const handle = (socket as unknown as SocketWithHandle)._handle;
    if (handle === null || typeof handle.fd !== "number" || handle.fd < 0) return undefined;
    return new DescriptorConnection(socket, handle, handle.fd, peer);
  }

  private constructor(socket: net.Socket, handle: SocketHandle, fd: number, peer: string) {
    this.#socket = socket;
    this.#sender = this.#senderOver(socket);
    this.#handle = handle;
    this.#fd = fd;
    this.peer = peer;
    socket.on("error", () => {});
  }

  get unsentBytes(): number {
    return this.#sender.unsentBytes;
  }

  /**
   * Node closes the descriptor before it says so, and its number may be another connection's, or a file's, by the time
   * that `close` comes.
   */
  get #isGone(): boolean {
    return this.#over || this.#socket.destroyed;
  }

  start(receiver: Receiver): void {
    this.#receiver = receiver;
    if (this.#socket.destroyed) {
      setImmediate(() => receiver.closed());
      return;
    }
    // The accepted socket has no `onread`, so its handle gets a new socket around it.
    (this.#socket as unknown as SocketWithHandle)._handle = null;
    const socket = new net.Socket({
      handle: this.#handle,
      allowHalfOpen: true,
      onread: {
        // Who cannot look again is better off with all that is there at once.
        buffer: () => this.#nextTarget(libc !== undefined),
        callback: (byteLength: number) => this.#landed(byteLength),
      },
    } as unknown as net.SocketConstructorOpts);
    this.#socket = socket;
    this.#sender = this.#senderOver(socket);
    let failure: Error | undefined;
    socket.on("error", (error) => {
      failure = error;
    });
    socket.on("end", () => this.#receiver?.ended());
    socket.on("close", () => {
      this.#over = true;
      this.#receiver?.closed(failure);
    });
    socket.resume();
  }

  #nextTarget(mayWait: boolean): Buffer {
    if (this.#receiver !== undefined && !this.#over) this.#target = this.#receiver.target(mayWait);
    return this.#target;
  }

  /** Answers whether reading goes on. */
  #landed(byteLength: number): boolean {
    this.#wakefulness.answered();
    const isAlone = turns.begin(this, performance.now());
    let worthLooking = (this.#receiver?.received(this.#target, byteLength) ?? false) && isAlone;
    for (let batch = 1; worthLooking && batch < batchesPerTurn && this.#maySeeMore(); batch++) {
      const count = this.#look();
      if (count === 0) break;
      worthLooking = this.#receiver?.received(this.#target, count) ?? false;
    }
    turns.end(performance.now());
    return !this.#paused;
  }

  #maySeeMore(): boolean {
    if (this.#batchesWithoutLooking > 0) {
      this.#batchesWithoutLooking--;
      return false;
    }
    return !this.#paused && !this.#isGone && this.#receiver !== undefined && this.unsentBytes === 0;
  }

  /** Bytes that arrived in the next few microseconds; 0 when none did, or when the event loop had better see to it. */
  #look(): number {
    if (libc === undefined) return 0;
    const target = this.#nextTarget(false);
    for (let look = 0; look < looksPerBatch; look++) {
      const count = libc.receiveNow(this.#fd, target);
      if (count > 0) {
        this.#vainSeries = 0;
        return count;
      }
      if (count !== -errorNumber.tryAgain) return 0;
    }
    this.#vainSeries++;
    if (this.#vainSeries >= vainSeriesBeforePause) {
      this.#batchesWithoutLooking = Math.min(2 ** this.#vainSeries, pausedBatchesMax);
    }
    return 0;
  }

  send(buffer: Buffer, start: number, end: number): boolean {
    if (this.#isGone) return true;
    let at = start;
    try {
      at += fs.writeSync(this.#fd, buffer, start, end - start);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return this.#fail(error as NodeJS.ErrnoException);
    }
    // The peer may have made room by now. Asked this way a full socket says so without throwing.
    while (at < end && libc !== undefined) {
      const count = libc.sendNow(this.#fd, buffer, at, end - at);
      if (count <= 0) break;
      at += count;
    }
    return at === end || this.#sendLater([buffer.subarray(at, end)]);
  }

  sendAll(pieces: readonly Buffer[]): boolean {
    if (this.#isGone) return true;
    const [first] = pieces;
    if (first !== undefined && pieces.length === 1) return this.send(first, 0, first.length);
    let count = 0;
    try {
      count = fs.writevSync(this.#fd, pieces);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return this.#fail(error as NodeJS.ErrnoException);
    }
    const rest = withoutFirst(pieces, count);
    return rest.length === 0 || this.#sendLater(rest);
  }

  /** A peer that hung up is no failure of this side. */
  #fail(error: NodeJS.ErrnoException): boolean {
    this.#over = true;
    this.#socket.destroy(error.code === "EPIPE" || error.code === "ECONNRESET" ? undefined : error);
    return true;
  }

  /** The socket's buffer is full: the event loop sends the rest when there is room. */
  #sendLater(pieces: readonly Buffer[]): boolean {
    this.#sender.send(pieces);
    return false;
  }

  #senderOver(socket: net.Socket): StreamSender {
    return new StreamSender(socket, () => this.#receiver?.drained());
  }

  expectAnswer(): void {
    this.#wakefulness.expectAnswer();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket.resume();
  }

  end(): void {
    this.#sender.end();
    this.resume();
  }

  destroy(error?: Error): void {
    this.#over = true;
    (this.#taken ?? this.#socket).destroy(error);
  }

  /** Hands the socket over, to be wrapped; after that this object can only destroy it. */
  takeSocket(): net.Socket {
    this.#over = true;
    this.#receiver = undefined;
    this.#socket.removeAllListeners();
    (this.#socket as unknown as SocketWithHandle)._handle = null;
    // Not half open: a peer that hangs up during the handshake to come is gone.
    this.#taken = new net.Socket({ handle: this.#handle } as unknown as net.SocketConstructorOpts);
    return this.#taken;
  }
}
