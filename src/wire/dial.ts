/**
 * One attempt to reach the other side of a link, from its address to its proof:
 *
 *     connecting ─▶ securing ─▶ greeting ─▶ proving ─▶ joined
 *          └────────────┴───────────┴──────────┴─────▶ failed
 */
import { assert } from "#src/core/assert.ts";
import { ReconnectError, RefuseError } from "#src/core/errors.ts";
import { wireConnectMs, wireNonceBytes } from "#src/core/limits.ts";
import type { Timer } from "#src/host/clock.ts";
import type { Connection, SocketAddress, TlsCredentials } from "#src/host/socket.ts";
import { systemReason } from "#src/host/system-words.ts";
import { type FrameType, frameType } from "./frame.ts";
import { FrameChannel, type FrameHandler } from "./frame-channel.ts";
import { ConnectingHandshake, type LinkKind } from "./handshake.ts";
import { describeAddress, type LinkOptions, type LinkTiming, timingOf } from "./link-options.ts";

/** TLS is then a must: a side without it is not talked to. */
export interface DialTls extends TlsCredentials {
  /** The name that the other side's certificate must bear, where it is not the host's. */
  readonly serverName?: string;
}

export interface DialOptions extends LinkOptions {
  readonly address: SocketAddress;
  readonly tls?: DialTls;
  readonly connectMs?: number;
}

/** One of the two is called, once, unless the dial is cancelled before. */
export interface DialOutcome {
  /** Both sides have proved who they are; what is returned handles all further frames. */
  joined(channel: FrameChannel): FrameHandler;
  failed(error: Error): void;
}

type State = "connecting" | "securing" | "greeting" | "proving" | "done";

export class Dial implements FrameHandler {
  readonly #options: DialOptions;
  readonly #timing: LinkTiming;
  readonly #handshake: ConnectingHandshake;
  readonly #outcome: DialOutcome;
  #state: State = "connecting";
  #channel: FrameChannel | undefined;
  #timer: Timer | undefined;

  constructor(options: DialOptions, link: LinkKind, hello: () => object, outcome: DialOutcome) {
    this.#options = options;
    this.#timing = timingOf(options);
    this.#outcome = outcome;
    const nonce = options.randomness.bytes(wireNonceBytes);
    this.#handshake = new ConnectingHandshake({ token: options.token, link, nonce }, hello);
    void this.#begin();
  }

  /** Nobody is interested any more. */
  cancel(why: string): void {
    this.#state = "done";
    this.#timer?.cancel();
    this.#channel?.close(new ReconnectError(why));
  }

  async #begin(): Promise<void> {
    let connection: Connection;
    try {
      connection = await this.#connect();
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (this.#state === "done") {
      connection.destroy();
      return;
    }
    this.#state = "greeting";
    this.#channel = new FrameChannel(connection, this.#timing, this);
    const { handshakeMs } = this.#timing;
    this.#timer = this.#timing.clock.timer(handshakeMs, () => {
      this.#channel?.close(new ReconnectError(`the other side did not prove who it is in ${handshakeMs} ms`));
    });
    this.#channel.start();
  }

  async #connect(): Promise<Connection> {
    const { sockets, address, tls, connectMs = wireConnectMs } = this.#options;
    const where = describeAddress(address);
    const connection = await sockets
      .connect(address, connectMs)
      .catch((error: Error) => giveUp(`no connection to ${where}`, error));
    if (tls === undefined || this.#state === "done") return connection;
    this.#state = "securing";
    const { serverName = address.kind === "tcp" ? address.host : undefined, ...credentials } = tls;
    const name = serverName === undefined ? {} : { serverName };
    return sockets
      .secure(connection, { role: "client", credentials, ...name, timeoutMs: this.#timing.handshakeMs })
      .catch((error: Error) => {
        connection.destroy();
        return giveUp(`no TLS with ${where}`, error);
      });
  }

  #fail(error: Error): void {
    this.#timer?.cancel();
    if (this.#state === "done") return;
    this.#state = "done";
    this.#outcome.failed(error);
  }

  // FrameHandler

  frame(type: FrameType, bytes: Buffer, start: number, end: number): void {
    const body = bytes.subarray(start, end);
    const channel = this.#channel;
    assert(channel !== undefined, "frames come over a channel");
    if (this.#state === "greeting" && type === frameType.challenge) {
      this.#state = "proving";
      channel.send(frameType.hello, this.#handshake.challenged(body));
    } else if (this.#state === "proving" && type === frameType.proof) {
      this.#handshake.proven(body);
      this.#state = "done";
      this.#timer?.cancel();
      channel.trust();
      channel.handler = this.#outcome.joined(channel);
    } else {
      throw new RefuseError(`a frame of type ${type} does not belong into a handshake`);
    }
  }

  endOfRead(): void {}

  drained(): void {}

  closed(error: Error): void {
    this.#fail(error);
  }
}

function giveUp(what: string, error: Error): never {
  throw new ReconnectError(`${what}: ${systemReason(error) ?? error.message}`, { cause: error });
}
