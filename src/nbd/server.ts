/** An NBD server: several exports on several sockets, one budget of memory, one clock for all who keep it waiting. */
import { crowdWordMs } from "#src/core/limits.ts";
import { nbdConnectionCountMax, nbdPatienceCheckMs } from "#src/core/nbd-limits.ts";
import { RareWord } from "#src/core/rare-word.ts";
import type { Timer } from "#src/host/clock.ts";
import type { Connection, Listener, SocketAddress } from "#src/host/socket.ts";
import { ServerConnection } from "./server-connection.ts";
import type { NbdServerOptions, ServerContext } from "./server-context.ts";
import { SharedBuffers } from "./shared-buffers.ts";

export class NbdServer {
  readonly #context: ServerContext;
  readonly #connections = new Set<ServerConnection>();
  readonly #listeners: Listener[] = [];
  /** Called after each end of a connection. */
  readonly #waiting = new Set<() => void>();
  readonly #crowdWord = new RareWord(crowdWordMs);
  #patience: Timer | undefined;

  constructor(options: NbdServerOptions) {
    const { exports, sockets, clock } = options;
    this.#context = {
      exports,
      sockets,
      clock,
      tls: options.tls,
      report: options.report ?? (() => {}),
      shared: new SharedBuffers((callback) => clock.soon(callback)),
    };
    this.#watch();
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Memory given to requests and replies at this moment. */
  get heldBytes(): number {
    return this.#context.shared.memory.heldBytes;
  }

  /** Returns the address in use, with the port that the host chose if 0 was asked for. */
  async listen(address: SocketAddress): Promise<SocketAddress> {
    const listener = await this.#context.sockets.listen(address, (connection) => this.#accept(connection));
    this.#listeners.push(listener);
    return listener.address;
  }

  #accept(connection: Connection): void {
    if (this.#connections.size >= nbdConnectionCountMax) {
      connection.destroy();
      this.#tellOfCrowd(connection.peer);
      return;
    }
    const accepted = new ServerConnection(this.#context, connection, (closed) => {
      this.#connections.delete(closed);
      for (const check of [...this.#waiting]) check();
    });
    this.#connections.add(accepted);
    accepted.begin();
  }

  #tellOfCrowd(peer: string): void {
    const count = this.#crowdWord.happened(this.#context.clock.monotonicMs());
    if (count === undefined) return;
    const others = count === 1 ? "" : `: ${count} were one too many since this was said last`;
    this.#context.report({ kind: "dropped", peer, why: `too many connections${others}` });
  }

  #watch(): void {
    this.#patience = this.#context.clock.timer(nbdPatienceCheckMs, () => {
      const nowMs = this.#context.clock.monotonicMs();
      for (const connection of this.#connections) connection.checkPatience(nowMs);
      this.#watch();
    });
  }

  /** How many clients are attached to an export. */
  countOf(exportName: string): number {
    return this.#connectionsTo(exportName).length;
  }

  /** Ends the connections to one export as `close` ends all. It must not be found any more, or they would come back. */
  async hangUp(exportName: string, graceMs: number): Promise<void> {
    await this.#end(() => this.#connectionsTo(exportName), graceMs);
  }

  #connectionsTo(exportName: string): ServerConnection[] {
    return [...this.#connections].filter((connection) => connection.exportName === exportName);
  }

  /** Accepts no more, lets what is under way end, and after `graceMs` hangs up on who is still there. */
  async close(graceMs: number): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#end(() => [...this.#connections], graceMs);
    this.#patience?.cancel();
  }

  #end(remaining: () => readonly ServerConnection[], graceMs: number): Promise<void> {
    for (const connection of remaining()) connection.shutDown();
    if (remaining().length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#context.clock.timer(graceMs, () => {
        for (const connection of remaining()) connection.destroy();
      });
      const check = (): void => {
        if (remaining().length > 0) return;
        timer.cancel();
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }
}
