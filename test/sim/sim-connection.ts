/** One end of a simulated connection, over the pipe that comes in and the pipe that goes out. */
import { assert } from "#src/core/assert.ts";
import type { Connection, Receiver } from "#src/host/socket.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimHostClock } from "./sim-host-clock.ts";
import type { PipeReceiver, PipeSender, SimPipe } from "./sim-pipe.ts";
import { systemError } from "./system-error.ts";

/** How often in a row a receiver is given more when it says that it is worth looking. */
const readsPerEventMax = 4;

export interface SimConnectionParts {
  readonly peer: string;
  readonly clock: SimHostClock;
  readonly random: SeededRandom;
  readonly note: (text: string) => void;
  /** Nothing comes of this end any more. */
  readonly gone: () => void;
}

export class SimConnection implements Connection, PipeSender, PipeReceiver {
  readonly peer: string;
  readonly #parts: SimConnectionParts;
  #incoming!: SimPipe;
  #outgoing!: SimPipe;
  #receiver: Receiver | undefined;
  /** Where the next bytes shall land, when that was asked already. */
  #target: Buffer | undefined;
  #unsent: Buffer[] = [];
  #unsentBytes = 0;
  #isSendingLater = false;
  #isDelivering = false;
  #paused = false;
  #ending = false;
  #endSent = false;
  #endReceived = false;
  #over = false;
  /** Whoever is the receiver by then will be told that the connection is closed. */
  #isClosing = false;
  #failure: Error | undefined;

  constructor(parts: SimConnectionParts) {
    this.peer = parts.peer;
    this.#parts = parts;
  }

  attach(incoming: SimPipe, outgoing: SimPipe): void {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  start(receiver: Receiver): void {
    assert(this.#receiver === undefined, "a connection is started once");
    this.#receiver = receiver;
    if (!this.#over) this.hasNews();
    else if (!this.#isClosing) this.#parts.clock.soon(() => receiver.closed(this.#failure));
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  send(buffer: Buffer, start: number, end: number): boolean {
    return this.sendAll([buffer.subarray(start, end)]);
  }

  sendAll(pieces: readonly Buffer[]): boolean {
    assert(this.#unsentBytes === 0, "nothing is sent before the last was taken");
    assert(!this.#ending, "nothing is sent after the end");
    if (this.#over) return true;
    this.#unsent = pieces.filter((piece) => piece.length > 0);
    this.#unsentBytes = this.#unsent.reduce((sum, piece) => sum + piece.length, 0);
    this.#sendWhatFits();
    if (this.#unsentBytes === 0) return true;
    this.#sendLater();
    return false;
  }

  #sendWhatFits(): void {
    while (this.#unsent[0] !== undefined) {
      const piece = this.#unsent[0];
      const taken = this.#outgoing.take(piece, 0, piece.length);
      this.#unsentBytes -= taken;
      if (taken < piece.length) {
        this.#unsent[0] = piece.subarray(taken);
        return;
      }
      this.#unsent.shift();
    }
  }

  #sendLater(): void {
    if (this.#isSendingLater) return;
    this.#isSendingLater = true;
    this.#parts.clock.soon(() => {
      this.#isSendingLater = false;
      this.#goOnSending();
    });
  }

  #goOnSending(): void {
    if (this.#over || this.#unsentBytes === 0) return;
    const before = this.#unsentBytes;
    this.#sendWhatFits();
    if (this.#unsentBytes === 0) {
      if (this.#ending) this.#sendEnd();
      this.#receiver?.drained();
    } else if (this.#unsentBytes < before) {
      this.#sendLater();
    }
  }

  hasRoom(): void {
    if (this.#unsentBytes > 0) this.#sendLater();
  }

  wasRefused(): void {
    this.#fail("ECONNRESET", "the peer is gone");
  }

  wasReset(): void {
    this.#fail("ECONNRESET", "the peer hung up");
  }

  hasNews(): void {
    if (this.#isDelivering || this.#receiver === undefined || this.#paused || this.#over) return;
    if (this.#incoming.arrivedBytes === 0 && (this.#endReceived || !this.#incoming.isAtEnd)) return;
    this.#isDelivering = true;
    this.#parts.clock.soon(() => {
      this.#isDelivering = false;
      this.#deliver();
      this.hasNews();
    });
  }

  #deliver(): void {
    for (let reads = 0; reads < readsPerEventMax && this.#mayReceive(); reads++) {
      if (this.#incoming.arrivedBytes === 0 || !this.#deliverOnce()) break;
    }
    if (this.#mayReceive() && this.#incoming.isAtEnd && !this.#endReceived) {
      this.#endReceived = true;
      this.#receiver?.ended();
      this.#closeAfterBothEnds();
    }
    // Some hosts ask for the next buffer long before there is anything to put into it.
    if (this.#mayReceive() && this.#target === undefined && this.#parts.random.chance(0.5)) {
      this.#target = this.#receiver?.target();
    }
  }

  #mayReceive(): boolean {
    return this.#receiver !== undefined && !this.#paused && !this.#over;
  }

  /** Answers whether it is worth looking for more at once. */
  #deliverOnce(): boolean {
    const receiver = this.#receiver as Receiver;
    const target = this.#target ?? receiver.target();
    this.#target = undefined;
    assert(target.length > 0, "there is room for the next bytes");
    const most = Math.min(target.length, this.#incoming.arrivedBytes);
    const count = this.#parts.random.chance(0.7) ? most : this.#parts.random.between(1, most);
    this.#incoming.readInto(target, count);
    this.#parts.note(`received ${count} of ${this.peer}`);
    return receiver.received(target, count) && this.#unsentBytes === 0;
  }

  expectAnswer(): void {}

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.hasNews();
  }

  end(): void {
    if (this.#ending || this.#over) return;
    this.#ending = true;
    if (this.#unsentBytes === 0) this.#sendEnd();
    this.resume();
  }

  #sendEnd(): void {
    this.#outgoing.finish();
    this.#endSent = true;
    this.#closeAfterBothEnds();
  }

  #closeAfterBothEnds(): void {
    if (this.#endSent && this.#endReceived && !this.#over) this.#close(undefined);
  }

  destroy(error?: Error): void {
    if (this.#over) return;
    this.#hangUp();
    this.#close(error);
  }

  /** The process is gone: the host's kernel closes for it, and nobody here is told. */
  abandon(): void {
    this.#receiver = undefined;
    if (this.#over) return;
    this.#hangUp();
    this.#forget();
  }

  /** As kernels do, politely or not. */
  #hangUp(): void {
    this.#incoming.close();
    if (this.#parts.random.chance(0.5)) this.#outgoing.reset();
    else if (!this.#endSent) this.#outgoing.finish();
  }

  #fail(code: string, what: string): void {
    if (!this.#over) this.#close(systemError(code, `${this.peer}: ${what}`));
  }

  #close(error: Error | undefined): void {
    this.#failure = error;
    this.#incoming.close();
    this.#forget();
    this.#isClosing = true;
    this.#parts.clock.soon(() => {
      this.#isClosing = false;
      this.#parts.note(`closed ${this.peer}${error === undefined ? "" : `: ${error.message}`}`);
      this.#receiver?.closed(error);
    });
  }

  #forget(): void {
    this.#over = true;
    this.#unsent = [];
    this.#unsentBytes = 0;
    this.#parts.gone();
  }

  /** Something is put around the connection: it is as if it had not been started. */
  takeOver(): void {
    this.#receiver = undefined;
    this.#target = undefined;
  }
}
