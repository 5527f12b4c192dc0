/** One client of a server, from its first byte to its last: the handshake, TLS in the middle of it, then transmission. */

import { nbdHandshakeMs, nbdRequestBytesPerSecondMin, nbdStallMs } from "#src/core/nbd-limits.ts";
import type { Connection, Receiver } from "#src/host/socket.ts";
import { handshakeFlag } from "./constants.ts";
import { HandshakeReader, type HandshakeState } from "./handshake-reader.ts";
import { encodeGreeting } from "./option-codec.ts";
import type { ServerContext } from "./server-context.ts";
import { Transmission } from "./transmission.ts";

export class ServerConnection implements Receiver {
  readonly #context: ServerContext;
  readonly #closedCallback: (connection: ServerConnection) => void;
  readonly #openedAtMs: number;
  readonly #reader: HandshakeReader;
  #connection: Connection;
  #transmission: Transmission | undefined;
  #securing = false;
  /** Reading has stopped because the answers to the last options are still on their way. */
  #haggledAhead = false;
  #waitingSinceMs: number;
  #lastUnsentBytes = 0;
  #partialNumber = 0;
  #partialSinceMs = 0;
  #destroyed = false;

  constructor(context: ServerContext, connection: Connection, closed: (connection: ServerConnection) => void) {
    this.#context = context;
    this.#connection = connection;
    this.#closedCallback = closed;
    this.#openedAtMs = context.clock.monotonicMs();
    this.#waitingSinceMs = this.#openedAtMs;
    this.#reader = new HandshakeReader(context.exports, context.tls?.policy ?? "off");
  }

  /** Undefined: none was chosen yet. */
  get exportName(): string | undefined {
    return this.#transmission === undefined ? undefined : this.#reader.handshake.agreement.target.name;
  }

  begin(): void {
    this.#connection.start(this);
    this.#connection.sendAll([encodeGreeting(handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes)]);
  }

  /** Called now and then: drops a client that keeps this server waiting. */
  checkPatience(nowMs: number): void {
    if (this.#transmission === undefined) {
      if (nowMs - this.#openedAtMs > nbdHandshakeMs) this.#connection.destroy(new Error("the handshake took too long"));
      return;
    }
    const { unsentBytes } = this.#connection;
    if (!this.#transmission.waitsForPeer || unsentBytes < this.#lastUnsentBytes) this.#waitingSinceMs = nowMs;
    this.#lastUnsentBytes = unsentBytes;
    if (nowMs - this.#waitingSinceMs > nbdStallMs) this.#connection.destroy(new Error("the client stalled"));
    this.#checkRate(this.#transmission, nowMs);
  }

  /** A request that comes byte by byte holds its memory all the time. */
  #checkRate(transmission: Transmission, nowMs: number): void {
    const { partial } = transmission;
    if (partial === undefined || partial.number !== this.#partialNumber) {
      this.#partialNumber = partial?.number ?? 0;
      this.#partialSinceMs = nowMs;
      return;
    }
    const allowedMs = nbdStallMs + (partial.byteLength / nbdRequestBytesPerSecondMin) * 1000;
    if (nowMs - this.#partialSinceMs > allowedMs) this.#connection.destroy(new Error("a request came far too slowly"));
  }

  shutDown(): void {
    if (this.#transmission === undefined) this.destroy();
    else this.#transmission.shutDown();
  }

  destroy(): void {
    this.#destroyed = true;
    this.#connection.destroy();
  }

  // Receiver

  target(mayWait = false): Buffer {
    return this.#transmission?.target(mayWait) ?? this.#context.shared.landing;
  }

  received(buffer: Buffer, byteLength: number): boolean {
    this.#waitingSinceMs = this.#context.clock.monotonicMs();
    if (this.#transmission !== undefined) return this.#transmission.received(buffer, byteLength);
    this.#haggle(buffer.subarray(0, byteLength));
    return true;
  }

  drained(): void {
    this.#waitingSinceMs = this.#context.clock.monotonicMs();
    const mayRead = this.#transmission === undefined || !this.#transmission.stopped;
    if (this.#haggledAhead && mayRead) this.#connection.resume();
    this.#haggledAhead = false;
    this.#transmission?.drained();
    // TLS takes the socket over, so what was said in plain text had to leave first.
    if (this.#reader.state.name === "secure" && !this.#securing) this.#secure();
  }

  ended(): void {
    // A client that sends no more has left: NBD knows no half of a connection.
    if (this.#transmission === undefined) this.#connection.end();
    else this.#transmission.shutDown();
  }

  closed(error?: Error): void {
    if (this.#securing) return;
    this.#transmission?.closed();
    if (error !== undefined) this.#context.report({ kind: "dropped", peer: this.#connection.peer, why: error.message });
    this.#closedCallback(this);
  }

  #haggle(bytes: Buffer): void {
    // What a client goes on to send after its end is no second end.
    if (this.#reader.state.name === "closed") return;
    const replies = this.#reader.push(bytes);
    // One that asks faster than it listens waits until it has listened.
    if (replies.length > 0 && !this.#connection.sendAll(replies)) {
      this.#haggledAhead = true;
      this.#connection.pause();
    }
    this.#enter(this.#reader.state);
  }

  #enter(state: HandshakeState): void {
    switch (state.name) {
      case "transmit":
        this.#transmit();
        break;
      case "secure":
        if (this.#connection.unsentBytes === 0) this.#secure();
        break;
      case "closed":
        this.#context.report({ kind: "left", peer: this.#connection.peer, why: state.why });
        this.#connection.end();
        break;
      default:
    }
  }

  #transmit(): void {
    const { shared, clock } = this.#context;
    const { agreement } = this.#reader.handshake;
    const soon = (callback: () => void): void => clock.soon(callback);
    this.#transmission = new Transmission(agreement, this.#connection, shared, soon);
    this.#context.report({ kind: "attached", peer: this.#connection.peer, exportName: agreement.target.name });
    const rest = this.#reader.takeRest();
    if (rest.length > 0) this.#transmission.received(rest, rest.length);
  }

  #secure(): void {
    const { sockets, tls } = this.#context;
    if (tls === undefined) throw new Error("TLS was agreed on without a certificate");
    this.#securing = true;
    sockets.secure(this.#connection, { role: "server", credentials: tls.credentials, timeoutMs: nbdHandshakeMs }).then(
      (connection) => {
        this.#securing = false;
        this.#haggledAhead = false;
        this.#connection = connection;
        this.#reader.secured();
        connection.start(this);
        if (this.#destroyed) connection.destroy();
      },
      (error: Error) => {
        this.#securing = false;
        this.closed(error);
      },
    );
  }
}
