/**
 * The side of a link that is connected to: listens, and lets in who proves who it is. Strangers are few, may say one
 * small thing, and have to say it soon. However many come, they take no room from those who have proved who they are.
 */
import { ReconnectError, RefuseError } from "#src/core/errors.ts";
import { crowdWordMs, wireConnectionCountMax, wireNonceBytes, wireStrangerCountMax } from "#src/core/limits.ts";
import { RareWord } from "#src/core/rare-word.ts";
import type { Timer } from "#src/host/clock.ts";
import type { Connection, Listener, SocketAddress, TlsCredentials } from "#src/host/socket.ts";
import { type FrameType, frameType } from "./frame.ts";
import { FrameChannel, type FrameHandler } from "./frame-channel.ts";
import { AcceptingHandshake, type LinkKind } from "./handshake.ts";
import type { JsonFields } from "./json-fields.ts";
import { checkToken, type LinkOptions, type LinkTiming, timingOf } from "./link-options.ts";

export interface AcceptorOptions extends LinkOptions {
  /** TLS is then a must. With `ca` the other side must show a certificate too. */
  readonly tls?: TlsCredentials;
  /** Of those who have proved who they are. */
  readonly connectionCountMax?: number;
  /** Of all others, until nothing of them is left. */
  readonly strangerCountMax?: number;
}

/** Who proved itself, and what it said first. What is returned handles all further frames; what is thrown refuses it. */
export type Accept = (channel: FrameChannel, hello: JsonFields) => FrameHandler;

export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #timing: LinkTiming;
  readonly #link: LinkKind;
  readonly #accept: Accept;
  readonly #listeners: Listener[] = [];
  /** Those in the middle of a TLS handshake. */
  readonly #securing = new Set<Connection>();
  readonly #channels = new Set<FrameChannel>();
  readonly #crowdWord = new RareWord(crowdWordMs);
  #strangerCount = 0;
  #isClosed = false;

  constructor(options: AcceptorOptions, link: LinkKind, accept: Accept) {
    checkToken(options.token);
    this.#options = options;
    this.#timing = timingOf(options);
    this.#link = link;
    this.#accept = accept;
  }

  get connectionCount(): number {
    return this.#securing.size + this.#channels.size;
  }

  /** May be called for several addresses. Answers the one in use, with the port that the host chose if 0 was asked for. */
  async listen(address: SocketAddress): Promise<SocketAddress> {
    const listener = await this.#options.sockets.listen(address, (connection) => void this.#connected(connection));
    this.#listeners.push(listener);
    return listener.address;
  }

  async #connected(connection: Connection): Promise<void> {
    const { tls, strangerCountMax = wireStrangerCountMax } = this.#options;
    const isFull = this.#strangerCount >= strangerCountMax;
    if (isFull || this.#isClosed) {
      connection.destroy();
      if (isFull) this.#tellOfCrowd(connection.peer);
      return;
    }
    this.#strangerCount++;
    const secured = tls === undefined ? connection : await this.#secure(connection, tls);
    if (secured === undefined) this.#strangerCount--;
    else this.#receive(secured);
  }

  #tellOfCrowd(peer: string): void {
    const { clock, log } = this.#options;
    const count = this.#crowdWord.happened(clock.monotonicMs());
    if (count === undefined) return;
    const since = count === 1 ? {} : { countSinceLastSaid: count };
    log.warn("a peer was turned away: too many have not said who they are", { peer, ...since });
  }

  /** Undefined: there is no connection any more. */
  async #secure(connection: Connection, credentials: TlsCredentials): Promise<Connection | undefined> {
    const { sockets, log } = this.#options;
    this.#securing.add(connection);
    try {
      const timeoutMs = this.#timing.handshakeMs;
      const secured = await sockets.secure(connection, { role: "server", credentials, timeoutMs });
      if (!this.#isClosed) return secured;
      secured.destroy();
    } catch (error) {
      connection.destroy();
      log.warn("a peer was turned away", { peer: connection.peer, why: `no TLS: ${(error as Error).message}` });
    } finally {
      this.#securing.delete(connection);
    }
    return undefined;
  }

  #receive(connection: Connection): void {
    const nonce = this.#options.randomness.bytes(wireNonceBytes);
    const handshake = new AcceptingHandshake({ token: this.#options.token, link: this.#link, nonce });
    let isStranger = true;
    const isNoneAnyMore = (): void => {
      if (isStranger) this.#strangerCount--;
      isStranger = false;
    };
    const stranger = new Stranger(handshake, this.#acceptWithRoom, this.#timing, {
      turnedAway: (error) =>
        this.#options.log.warn("a peer was turned away", { peer: connection.peer, why: error.message }),
      letIn: isNoneAnyMore,
    });
    const channel = new FrameChannel(connection, this.#timing, stranger);
    this.#channels.add(channel);
    void channel.over.then(() => {
      this.#channels.delete(channel);
      isNoneAnyMore();
    });
    stranger.greet(channel);
  }

  readonly #acceptWithRoom: Accept = (channel, hello) => {
    const { connectionCountMax = wireConnectionCountMax } = this.#options;
    // Whoever comes counts as a stranger until he is let in.
    if (this.connectionCount - this.#strangerCount < connectionCountMax) return this.#accept(channel, hello);
    throw new RefuseError(
      `there is no room for another ${this.#link} here: ${connectionCountMax} are connected, the most that may be; ` +
        "end one that is not needed",
    );
  };

  /** Listens no more and ends the connections that stand. */
  async close(why: string): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    for (const connection of this.#securing) connection.destroy();
    const channels = [...this.#channels];
    for (const channel of channels) channel.part(new ReconnectError(why));
    await Promise.all(channels.map((channel) => channel.over));
  }
}

interface StrangerOwner {
  turnedAway(error: Error): void;
  letIn(): void;
}

/** Who has not proved yet who he is. */
class Stranger implements FrameHandler {
  readonly #handshake: AcceptingHandshake;
  readonly #accept: Accept;
  readonly #timing: LinkTiming;
  readonly #owner: StrangerOwner;
  #channel!: FrameChannel;
  #timer: Timer | undefined;

  constructor(handshake: AcceptingHandshake, accept: Accept, timing: LinkTiming, owner: StrangerOwner) {
    this.#handshake = handshake;
    this.#accept = accept;
    this.#timing = timing;
    this.#owner = owner;
  }

  greet(channel: FrameChannel): void {
    this.#channel = channel;
    const { clock, handshakeMs } = this.#timing;
    this.#timer = clock.timer(handshakeMs, () => {
      channel.close(new ReconnectError(`nobody proved who he is in ${handshakeMs} ms`));
    });
    channel.start();
    channel.send(frameType.challenge, this.#handshake.challenge);
  }

  frame(type: FrameType, bytes: Buffer, start: number, end: number): void {
    if (type !== frameType.hello) throw new RefuseError(`a frame of type ${type} came where a hello should have come`);
    const { proof, hello } = this.#handshake.greeted(bytes.subarray(start, end));
    this.#timer?.cancel();
    this.#channel.send(frameType.proof, proof);
    this.#channel.trust();
    this.#channel.handler = this.#accept(this.#channel, hello);
    this.#owner.letIn();
  }

  endOfRead(): void {}

  drained(): void {}

  closed(error: Error): void {
    this.#timer?.cancel();
    this.#owner.turnedAway(error);
  }
}
