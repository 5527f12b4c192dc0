/**
 * Sends through a Node socket what the system did not take at once, piece after piece, so that it can be seen whether
 * the peer takes anything at all.
 */
import type net from "node:net";
import { socketPieceBytes } from "#src/core/limits.ts";

export class StreamSender {
  readonly #socket: net.Socket;
  readonly #drained: () => void;
  #waiting: Buffer[] = [];
  #unsentBytes = 0;
  #endsWhenSent = false;

  constructor(socket: net.Socket, drained: () => void) {
    this.#socket = socket;
    this.#drained = drained;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** Holds the pieces until `drained`. */
  send(pieces: readonly Buffer[]): void {
    for (const piece of pieces) {
      this.#unsentBytes += piece.length;
      for (let at = 0; at < piece.length; at += socketPieceBytes) {
        this.#waiting.push(piece.subarray(at, at + socketPieceBytes));
      }
    }
    this.#next();
  }

  /** As many of the waiting pieces as make about one: small ones leave together. */
  #next(): void {
    let count = 0;
    let byteLength = 0;
    while (count < this.#waiting.length && byteLength < socketPieceBytes) {
      byteLength += this.#waiting[count]?.length ?? 0;
      count++;
    }
    const pieces = this.#waiting.splice(0, count);
    this.#socket.cork();
    for (const [index, piece] of pieces.entries()) {
      if (index < count - 1) this.#socket.write(piece);
      else this.#socket.write(piece, (error) => this.#sent(error, byteLength));
    }
    this.#socket.uncork();
  }

  #sent(error: Error | null | undefined, byteLength: number): void {
    // The socket closes after an error, and its owner hears of that.
    if (error !== null && error !== undefined) return;
    this.#unsentBytes -= byteLength;
    if (this.#waiting.length > 0) this.#next();
    else if (this.#endsWhenSent) this.#socket.end();
    else this.#drained();
  }

  /** Ends the socket's own side after all that was to be sent. */
  end(): void {
    this.#endsWhenSent = true;
    if (this.#unsentBytes === 0) this.#socket.end();
  }
}
