/** A client for scripts on the level of bytes, over a real socket. It believes nothing that it has not checked. */
import { once } from "node:events";
import net from "node:net";
import { type Asked, opening, request, type as requestType, type Style } from "./client-bytes.ts";
import {
  greetingBytes,
  type OptionReply,
  parseGreeting,
  parseOptionReply,
  parseReply,
  type Reply,
} from "./server-bytes.ts";

export class RawClient {
  readonly #socket: net.Socket;
  readonly #readBytes = new Map<bigint, number>();
  #received: Buffer = Buffer.alloc(0);
  #waiting: (() => void) | undefined;
  #isEnded = false;
  style: Style = "simple";

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    const changed = (): void => this.#waiting?.();
    socket.on("data", (bytes: Buffer) => {
      this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
      changed();
    });
    socket.on("error", () => {});
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#isEnded = true;
        changed();
      });
    }
  }

  static async connect(path: string): Promise<RawClient> {
    const socket = net.connect({ path, allowHalfOpen: true });
    await once(socket, "connect");
    return new RawClient(socket);
  }

  /** Connects and reads the greeting. */
  static async greeted(path: string): Promise<RawClient> {
    const client = await RawClient.connect(path);
    parseGreeting(await client.take(greetingBytes));
    return client;
  }

  /** Connects and opens an export. */
  static async open(
    path: string,
    style: Style = "simple",
    contexts: readonly string[] = [],
    exportName = "",
  ): Promise<RawClient> {
    const client = await RawClient.greeted(path);
    client.style = style;
    const pieces = opening(style, contexts, exportName);
    for (const piece of pieces) client.send(piece);
    for (let acknowledged = 1; acknowledged < pieces.length; ) {
      const reply = await client.optionReply();
      if (reply.type >= 2 ** 31) throw new Error(`refused: ${reply.data.toString()}`);
      if (reply.type === 1) acknowledged++;
    }
    return client;
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Resolves when the system has taken all that was sent. */
  async sent(): Promise<void> {
    if (this.#socket.writableLength > 0) await once(this.#socket, "drain");
  }

  /** Sends a request, whose reply may then be awaited. */
  ask(asked: Asked): void {
    if (asked.type === requestType.read) this.#readBytes.set(asked.cookie, Number(asked.length ?? 0));
    this.send(request(this.style, asked));
  }

  /** Sends a request and awaits the next reply, which must be its own. */
  async asked(asked: Asked): Promise<Reply> {
    this.ask(asked);
    const reply = await this.reply();
    if (reply.cookie !== asked.cookie) throw new Error(`a reply to ${reply.cookie}, not to ${asked.cookie}`);
    return reply;
  }

  async take(byteLength: number): Promise<Buffer> {
    return this.#parsed((bytes) =>
      bytes.length < byteLength ? undefined : { byteLength, value: bytes.subarray(0, byteLength) },
    );
  }

  async optionReply(): Promise<OptionReply> {
    return this.#parsed((bytes) => {
      const value = parseOptionReply(bytes, 0);
      return value === undefined ? undefined : { byteLength: 20 + value.data.length, value };
    });
  }

  async reply(): Promise<Reply> {
    return this.#parsed((bytes) => {
      const value = parseReply(this.style, bytes, 0, (cookie) => this.#readBytes.get(cookie) ?? 0);
      return value === undefined ? undefined : { byteLength: value.byteLength, value };
    });
  }

  async #parsed<Value>(parse: (bytes: Buffer) => { byteLength: number; value: Value } | undefined): Promise<Value> {
    for (;;) {
      const found = parse(this.#received);
      if (found !== undefined) {
        this.#received = this.#received.subarray(found.byteLength);
        return found.value;
      }
      if (this.#isEnded) throw new Error(`the server hung up with ${this.#received.length} bytes of no whole reply`);
      await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Resolves with all that came before the server hung up. */
  async untilEnd(): Promise<Buffer> {
    while (!this.#isEnded) await this.#change();
    return this.#received;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Takes nothing more, so that the server's replies pile up. */
  stopReading(): void {
    this.#socket.pause();
  }

  readAgain(): void {
    this.#socket.resume();
  }

  /** Says that no more will come, and goes on listening. */
  finish(): void {
    this.#socket.end();
  }

  hangUp(): void {
    this.#socket.destroy();
  }
}
