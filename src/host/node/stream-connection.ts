/**
 * A connection over any of Node's duplex sockets: the way for TLS, and where the host offers no descriptor. It costs a
 * copy per read and a stream's bookkeeping per write.
 */
import type net from "node:net";
import type { Connection, Receiver } from "../socket.ts";
import { StreamSender } from "./stream-sender.ts";

export class StreamConnection implements Connection {
  readonly peer: string;
  readonly #socket: net.Socket;
  readonly #sender: StreamSender;
  #receiver: Receiver | undefined;

  constructor(socket: net.Socket, peer: string) {
    this.#socket = socket;
    this.#sender = new StreamSender(socket, () => this.#receiver?.drained());
    this.peer = peer;
    // Until someone listens, an error only closes; without a handler it would end the process.
    socket.on("error", () => {});
  }

  get unsentBytes(): number {
    return this.#sender.unsentBytes;
  }

  start(receiver: Receiver): void {
    this.#receiver = receiver;
    const socket = this.#socket;
    let failure: Error | undefined;
    socket.on("error", (error) => {
      failure = error;
    });
    socket.on("data", (bytes: Buffer) => this.#deliver(bytes));
    socket.on("end", () => this.#receiver?.ended());
    socket.on("close", () => this.#receiver?.closed(failure));
    if (socket.destroyed) setImmediate(() => receiver.closed(failure));
    else socket.resume();
  }

  #deliver(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.#receiver !== undefined && !this.#socket.destroyed) {
      const target = this.#receiver.target();
      const count = bytes.copy(target, 0, at);
      at += count;
      this.#receiver.received(target, count);
      if (this.#socket.isPaused() && at < bytes.length) {
        this.#socket.unshift(bytes.subarray(at));
        return;
      }
    }
  }

  send(buffer: Buffer, start: number, end: number): boolean {
    return this.sendAll([buffer.subarray(start, end)]);
  }

  sendAll(pieces: readonly Buffer[]): boolean {
    if (this.#socket.destroyed) return true;
    this.#sender.send(pieces);
    return false;
  }

  /** Encrypted and further away: nothing is won by it. */
  expectAnswer(): void {}

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#sender.end();
    // The peer may go on sending for ever; nobody here reads it any more.
    this.#socket.resume();
  }

  destroy(error?: Error): void {
    this.#socket.destroy(error);
  }

  /** Hands the socket over, to be wrapped; after that this object can only destroy it. */
  takeSocket(): net.Socket {
    this.#receiver = undefined;
    this.#socket.removeAllListeners();
    this.#socket.on("error", () => {});
    // A peer that hangs up during the handshake to come is gone.
    this.#socket.allowHalfOpen = false;
    return this.#socket;
  }
}
