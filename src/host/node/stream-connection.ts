/**
 * A connection over any of Node's duplex sockets: the way for TLS, and where the host offers no descriptor. It costs a
 * copy per read and a stream's bookkeeping per write.
 */
import type net from "node:net";
import type { Connection, Receiver } from "../socket.ts";

export class StreamConnection implements Connection {
  readonly peer: string;
  readonly #socket: net.Socket;
  #receiver: Receiver | undefined;
  #unsentBytes = 0;

  constructor(socket: net.Socket, peer: string) {
    this.#socket = socket;
    this.peer = peer;
    // Until someone listens, an error only closes; without a handler it would end the process.
    socket.on("error", () => {});
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
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
    let bytes = 0;
    this.#socket.cork();
    for (const [index, piece] of pieces.entries()) {
      bytes += piece.length;
      const isLast = index === pieces.length - 1;
      this.#socket.write(piece, isLast ? (error) => this.#sent(error) : undefined);
    }
    this.#unsentBytes = bytes;
    this.#socket.uncork();
    return false;
  }

  #sent(error: Error | null | undefined): void {
    this.#unsentBytes = 0;
    if (error === null || error === undefined) this.#receiver?.drained();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
    // The peer may go on sending for ever; nobody here reads it any more.
    this.#socket.resume();
  }

  destroy(error?: Error): void {
    this.#socket.destroy(error);
  }

  /** Hands the socket over, to be wrapped; this object is of no use after that. */
  takeSocket(): net.Socket {
    this.#receiver = undefined;
    this.#socket.removeAllListeners();
    return this.#socket;
  }
}
