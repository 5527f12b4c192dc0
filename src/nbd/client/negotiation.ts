/**
 * Runs a handshake over a connection: sends what `Handshake` wants said, watches the time, and hands the connection on
 * at the very byte at which the handshake ends.
 */
import { put32 } from "#src/core/big-endian.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { Connection, Receiver } from "#src/host/socket.ts";
import { handshakeFlag, option } from "../constants.ts";
import { encodeOption } from "../option-codec.ts";
import { NbdConnectionError, NbdOptionError, NbdProtocolError } from "./errors.ts";
import type { Handshake, Outcome, Step } from "./handshake.ts";
import { OptionReplyReader } from "./option-reply-reader.ts";

/** What comes of it: exactly one of the three, once. */
export interface NegotiationEnd {
  /** Whether somebody else goes on with the connection; else it is ended in good order. */
  over(outcome: Outcome): "stay" | "leave";
  /** TLS was agreed upon: nothing more is sent or received in plain text. */
  secure(): void;
  failed(error: Error): void;
}

export interface NegotiationSettings {
  readonly clock: Clock;
  readonly stepMs: number;
}

export class Negotiation implements Receiver {
  readonly #connection: Connection;
  readonly #handshake: Handshake;
  readonly #settings: NegotiationSettings;
  readonly #end: NegotiationEnd;
  readonly #reader = new OptionReplyReader();
  #padded = true;
  #unsent: Buffer = Buffer.alloc(0);
  #timer: Timer | undefined;
  #isOver = false;

  constructor(connection: Connection, handshake: Handshake, settings: NegotiationSettings, end: NegotiationEnd) {
    this.#connection = connection;
    this.#handshake = handshake;
    this.#settings = settings;
    this.#end = end;
  }

  /** Waits for a greeting or, where TLS has just been put under the handshake, goes on with it. */
  begin(): void {
    if (this.#handshake.state === "securing") this.#take(this.#handshake.secured());
    else this.#watch();
  }

  target(): Buffer {
    return this.#reader.target();
  }

  received(_buffer: Buffer, byteLength: number): boolean {
    // Nobody asked for anything that could still come; the connection is on its way out.
    if (this.#isOver) return false;
    this.#reader.received(byteLength);
    try {
      while (!this.#isOver && this.#next());
    } catch (error) {
      this.#fail(error as Error);
    }
    return false;
  }

  drained(): void {
    if (this.#unsent.length === 0) return;
    const bytes = this.#unsent;
    this.#unsent = Buffer.alloc(0);
    this.#connection.send(bytes, 0, bytes.length);
  }

  ended(): void {
    this.#fail(new NbdConnectionError(`the server hung up (${this.#handshake.state})`));
  }

  closed(error?: Error): void {
    this.#timer?.cancel();
    this.#fail(new NbdConnectionError(`the connection was lost (${this.#handshake.state})`, { cause: error }));
  }

  /** Deals with one message of the server, if there is a whole one. */
  #next(): boolean {
    switch (this.#handshake.state) {
      case "greeting":
        return this.#greeted();
      case "export-name": {
        const details = this.#reader.takeExport(this.#padded);
        if (details !== undefined) this.#take(this.#handshake.exportAnswered(details));
        return details !== undefined;
      }
      default: {
        const reply = this.#reader.takeReply();
        if (reply !== undefined) this.#take(this.#handshake.replied(reply.type, reply.data));
        return reply !== undefined;
      }
    }
  }

  #greeted(): boolean {
    const serverFlags = this.#reader.takeGreeting();
    if (serverFlags === undefined) return false;
    const { clientFlags, step } = this.#handshake.greeted(serverFlags);
    this.#padded = (clientFlags & handshakeFlag.noZeroes) === 0;
    const bytes = Buffer.alloc(4);
    put32(bytes, 0, clientFlags);
    this.#send(bytes);
    this.#take(step);
    return true;
  }

  #take(step: Step): void {
    if (step.kind === "wait") return;
    if (this.#reader.bufferedBytes > 0) throw new NbdProtocolError("the server said something before it was asked");
    if (step.kind === "send") {
      this.#reader.expect(step.option);
      this.#send(encodeOption(step.option, step.data));
      this.#watch();
      return;
    }
    this.#isOver = true;
    this.#timer?.cancel();
    if (step.kind === "secure") this.#end.secure();
    else if (this.#end.over(step.outcome) === "leave") this.#leave();
  }

  /** Each step has its time, however many bytes a slow server lets drip meanwhile. */
  #watch(): void {
    this.#timer?.cancel();
    this.#timer = this.#settings.clock.timer(this.#settings.stepMs, () => {
      const waited = `the server did not answer in ${this.#settings.stepMs} ms`;
      this.#fail(new NbdConnectionError(`${waited} (${this.#handshake.state})`));
    });
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    if (error instanceof NbdOptionError) this.#leave();
    else this.#connection.destroy();
    this.#end.failed(error);
  }

  /** Says so before hanging up. Some servers answer and some do not, so nobody waits for it, but not for ever. */
  #leave(): void {
    this.#send(encodeOption(option.abort, new Uint8Array(0)));
    this.#connection.end();
    this.#timer = this.#settings.clock.timer(this.#settings.stepMs, () => this.#connection.destroy());
  }

  #send(bytes: Buffer): void {
    if (this.#connection.unsentBytes > 0) this.#unsent = Buffer.concat([this.#unsent, bytes]);
    else this.#connection.send(bytes, 0, bytes.length);
  }
}
