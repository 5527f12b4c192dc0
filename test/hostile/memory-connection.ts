/**
 * A connection without a socket, for many sessions per second. It does what a real one may do and no more: it asks for
 * the next target early, takes only some of the bytes at once, and tells of it later. It holds bytes that it did not take
 * by reference, as a real one does, so that memory used again too soon is seen as garbage by the peer.
 */
import { assert } from "#src/core/assert.ts";
import type { Connection, Listener, Receiver, SecureOptions, SocketAddress, Sockets } from "#src/host/socket.ts";

export class MemoryConnection implements Connection {
  readonly peer = "memory";
  readonly #soon: (callback: () => void) => void;
  readonly #output: Buffer[] = [];
  #held: Buffer[] = [];
  #receiver: Receiver | undefined;
  #target: Buffer | undefined;
  #paused = false;
  #ended = false;
  #over = false;
  #handedOver = false;
  #inCall = false;
  unsentBytes = 0;
  /** How many bytes the peer takes before it has to be asked for more. */
  appetiteBytes = Number.MAX_SAFE_INTEGER;

  constructor(soon: (callback: () => void) => void) {
    this.#soon = soon;
  }

  start(receiver: Receiver): void {
    assert(this.#receiver === undefined, "a connection is started once");
    this.#receiver = receiver;
  }

  send(buffer: Buffer, start: number, end: number): boolean {
    return this.sendAll([buffer.subarray(start, end)]);
  }

  sendAll(pieces: readonly Buffer[]): boolean {
    assert(this.unsentBytes === 0, "nothing is sent while the last has not been taken");
    if (this.#over) return true;
    this.#held = [...pieces];
    this.unsentBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    assert(this.unsentBytes > 0, "there is something to send");
    this.#eat();
    return this.unsentBytes === 0;
  }

  #eat(): void {
    while (this.unsentBytes > 0 && this.appetiteBytes > 0) {
      const piece = this.#held[0] as Buffer;
      const count = Math.min(piece.length, this.appetiteBytes);
      this.#output.push(Buffer.from(piece.subarray(0, count)));
      this.appetiteBytes -= count;
      this.unsentBytes -= count;
      if (count === piece.length) this.#held.shift();
      else this.#held[0] = piece.subarray(count);
    }
  }

  expectAnswer(): void {}

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  end(): void {
    this.#ended = true;
    this.#paused = false;
  }

  destroy(error?: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#held = [];
    this.unsentBytes = 0;
    this.#soon(() => this.#call((receiver) => receiver.closed(error)));
  }

  /** For `Sockets.secure`: what is left of this connection is another one. */
  handOver(): MemoryConnection {
    this.#handedOver = true;
    this.#receiver = undefined;
    return new MemoryConnection(this.#soon);
  }

  // The peer's side

  /** Bytes of the peer arrive; answers how many could be delivered. */
  deliver(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && this.isReading) {
      const target = this.#target ?? this.#nextTarget(false);
      const count = bytes.copy(target, 0, at);
      at += count;
      this.#target = undefined;
      let looksOn = false;
      this.#call((receiver) => {
        looksOn = receiver.received(target, count);
      });
      // Node asks for the next place now, whether it goes on reading or not.
      if (!this.isGone && !(looksOn && at < bytes.length)) this.#target = this.#nextTarget(true);
    }
    return at;
  }

  #nextTarget(mayWait: boolean): Buffer {
    const target = (this.#receiver as Receiver).target(mayWait);
    assert(target.length > 0, "there is a place for the next bytes");
    return target;
  }

  get isReading(): boolean {
    return !this.#paused && !this.#over && this.#receiver !== undefined;
  }

  /** The peer takes so many bytes more. */
  take(byteLength: number): void {
    this.appetiteBytes = Math.min(Number.MAX_SAFE_INTEGER, this.appetiteBytes + byteLength);
    if (this.unsentBytes === 0 || this.#over) return;
    this.#eat();
    if (this.unsentBytes === 0) this.#call((receiver) => receiver.drained());
  }

  /** The peer says that it will send no more. */
  finish(): void {
    if (!this.#over) this.#call((receiver) => receiver.ended());
  }

  hangUp(error?: Error): void {
    this.destroy(error);
  }

  #call(call: (receiver: Receiver) => void): void {
    if (this.#receiver === undefined) return;
    assert(!this.#inCall, "calls to a receiver never nest");
    this.#inCall = true;
    call(this.#receiver);
    this.#inCall = false;
  }

  /** All that the peer got. */
  get output(): Buffer {
    return Buffer.concat(this.#output);
  }

  /** As `output`, which begins anew. */
  takeOutput(): Buffer {
    return Buffer.concat(this.#output.splice(0));
  }

  /** The server has ended its side, or all of it. */
  get isOver(): boolean {
    return this.#ended || this.#over;
  }

  /** Nothing more can be sent to the server. */
  get isGone(): boolean {
    return this.#over || this.#handedOver;
  }
}

/** Sockets whose connections are made by the test. */
export class MemorySockets implements Sockets {
  readonly #soon: (callback: () => void) => void;
  #accepted: ((connection: Connection) => void) | undefined;
  /** Connections that TLS was put around, newest last. */
  readonly secured: MemoryConnection[] = [];
  /** What becomes of the next TLS handshake. */
  failTls: Error | undefined;

  constructor(soon: (callback: () => void) => void) {
    this.#soon = soon;
  }

  listen(address: SocketAddress, accepted: (connection: Connection) => void): Promise<Listener> {
    this.#accepted = accepted;
    return Promise.resolve({ address, close: () => Promise.resolve() });
  }

  connect(): Promise<Connection> {
    return Promise.reject(new Error("only the test makes connections"));
  }

  secure(connection: Connection, _options: SecureOptions): Promise<Connection> {
    if (this.failTls !== undefined) return Promise.reject(this.failTls);
    const secured = (connection as MemoryConnection).handOver();
    this.secured.push(secured);
    return Promise.resolve(secured);
  }

  /** A client has come. */
  open(): MemoryConnection {
    assert(this.#accepted !== undefined, "the server listens");
    const connection = new MemoryConnection(this.#soon);
    this.#accepted(connection);
    return connection;
  }
}
