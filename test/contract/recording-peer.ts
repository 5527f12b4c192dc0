/**
 * One end of a connection under test: it notes what it is told, sends what it is given piece by piece as it is allowed
 * to, and complains of every call that comes at a wrong time.
 */
import { expect } from "vitest";
import type { Connection, Receiver } from "#src/host/socket.ts";

export interface PeerHabits {
  /** How large the next target is. */
  readonly targetBytes?: (readCount: number) => number;
  /** Told after each read. */
  readonly onReceived?: (peer: RecordingPeer) => void;
  /** A peer ends when the other has; this one waits to be told. */
  readonly keepsOpen?: boolean;
}

const untouched = Buffer.alloc(128 * 1024, 0xee);

export class RecordingPeer implements Receiver {
  readonly connection: Connection;
  /** In order: received (once in a row), drained, ended, closed. */
  readonly events: string[] = [];
  closedWith: Error | undefined;
  readonly #habits: PeerHabits;
  readonly #received: Buffer[] = [];
  #receivedBytes = 0;
  #target: Buffer | undefined;
  #readCount = 0;
  #isPaused = false;
  #callUnderWay: string | undefined;
  #toSend: Buffer[] = [];
  #endsAfterSending = false;
  #isWaiting = false;

  constructor(connection: Connection, habits: PeerHabits = {}) {
    this.connection = connection;
    this.#habits = habits;
  }

  start(): this {
    this.#call("start", () => this.connection.start(this));
    return this;
  }

  get content(): Buffer {
    return Buffer.concat(this.#received);
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  countOf(event: string): number {
    return this.events.filter((it) => it === event).length;
  }

  /** Sends all pieces in this order, waiting whenever it must. */
  sendPieces(pieces: readonly Buffer[]): void {
    this.#toSend.push(...pieces);
    this.#sendOn();
  }

  endAfterSending(): void {
    this.#endsAfterSending = true;
    this.#sendOn();
  }

  pause(): void {
    this.#isPaused = true;
    this.#call("pause", () => this.connection.pause());
  }

  resume(): void {
    this.#isPaused = false;
    this.#call("resume", () => this.connection.resume());
  }

  end(): void {
    this.#isPaused = false;
    this.#call("end", () => this.connection.end());
  }

  destroy(error?: Error): void {
    this.#call("destroy", () => this.connection.destroy(error));
  }

  /** One `send`; what it answers must be true of `unsentBytes` too. */
  sendOnce(bytes: Buffer, start = 0, end = bytes.length): boolean {
    return this.#checkedSend(() => this.connection.send(bytes, start, end));
  }

  sendAllOnce(pieces: readonly Buffer[]): boolean {
    return this.#checkedSend(() => this.connection.sendAll(pieces));
  }

  #checkedSend(send: () => boolean): boolean {
    const isTaken = this.#call("send", send);
    if (isTaken) expect(this.connection.unsentBytes).toBe(0);
    else expect(this.connection.unsentBytes).toBeGreaterThan(0);
    this.#isWaiting = !isTaken;
    return isTaken;
  }

  #sendOn(): void {
    while (!this.#isWaiting && this.#toSend.length > 0 && this.countOf("closed") === 0) {
      this.sendOnce(this.#toSend.shift() as Buffer);
    }
    if (!this.#isWaiting && this.#toSend.length === 0 && this.#endsAfterSending) {
      this.#endsAfterSending = false;
      this.end();
    }
  }

  #call<Result>(name: string, call: () => Result): Result {
    this.#callUnderWay = name;
    try {
      return call();
    } finally {
      this.#callUnderWay = undefined;
    }
  }

  #expectAllowed(what: string): void {
    // The first target may be asked for by `start`: there is nothing yet that it could disturb.
    if (what !== "target" || this.#callUnderWay !== "start") {
      expect(this.#callUnderWay, `the call inside of which ${what} came`).toBe(undefined);
    }
    expect(this.countOf("closed"), `closed before ${what}`).toBe(0);
  }

  target(): Buffer {
    this.#expectAllowed("target");
    const byteLength = this.#habits.targetBytes?.(this.#readCount) ?? 65_536;
    this.#target = Buffer.from(untouched.subarray(0, byteLength));
    return this.#target;
  }

  received(buffer: Buffer, byteLength: number): boolean {
    this.#expectAllowed("received");
    expect(this.#isPaused, "received while paused").toBe(false);
    expect(this.countOf("ended"), "received after ended").toBe(0);
    expect(buffer, "the buffer that target gave last").toBe(this.#target);
    expect(byteLength).toBeGreaterThan(0);
    expect(byteLength).toBeLessThanOrEqual(buffer.length);
    const rest = buffer.subarray(byteLength);
    expect(rest.equals(untouched.subarray(0, rest.length)), "bytes behind what was received are untouched").toBe(true);
    this.#readCount++;
    this.#received.push(Buffer.from(buffer.subarray(0, byteLength)));
    this.#receivedBytes += byteLength;
    if (this.events.at(-1) !== "received") this.events.push("received");
    this.#habits.onReceived?.(this);
    return this.#readCount % 3 === 0;
  }

  drained(): void {
    this.#expectAllowed("drained");
    expect(this.#isWaiting, "drained without a send that was not taken at once").toBe(true);
    expect(this.connection.unsentBytes).toBe(0);
    this.events.push("drained");
    this.#isWaiting = false;
    this.#sendOn();
  }

  ended(): void {
    this.#expectAllowed("ended");
    expect(this.#isPaused, "ended while paused").toBe(false);
    expect(this.countOf("ended"), "ended twice").toBe(0);
    this.events.push("ended");
    if (this.#habits.keepsOpen !== true) this.endAfterSending();
  }

  closed(error?: Error): void {
    this.#expectAllowed("closed");
    this.events.push("closed");
    this.closedWith = error;
  }
}
