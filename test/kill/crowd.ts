/** Very many connections that want nothing, or say what somebody wants them to say. */
import net from "node:net";
import { onTestFinished } from "vitest";

export type CrowdAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/** So many are on their way at the same time: what a listener lets wait is not more. */
const atOnce = 100;

export class Crowd {
  readonly #sockets = new Set<net.Socket>();
  #turnedAwayCount = 0;

  constructor() {
    onTestFinished(() => this.leave());
  }

  /** Those who are connected now. */
  get count(): number {
    return this.#sockets.size;
  }

  get turnedAwayCount(): number {
    return this.#turnedAwayCount;
  }

  /** Each says `words` and then listens for ever. Resolves when each was let in or turned away. */
  async come(address: CrowdAddress, count: number, words: Buffer = Buffer.alloc(0)): Promise<void> {
    let left = count;
    const lane = async (): Promise<void> => {
      while (left-- > 0) await this.#one(address, words);
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
  }

  #one(address: CrowdAddress, words: Buffer): Promise<void> {
    const socket = net.connect(address);
    this.#sockets.add(socket);
    return new Promise((resolve) => {
      // Who is turned away at once never gets further than this.
      socket.on("error", () => {});
      socket.once("connect", () => {
        if (words.length > 0) socket.write(words);
        resolve();
      });
      socket.once("close", () => {
        if (this.#sockets.delete(socket)) this.#turnedAwayCount++;
        resolve();
      });
      socket.resume();
    });
  }

  leave(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }
}
