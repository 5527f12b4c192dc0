/** A whole server over connections in memory, in a world where time passes by hand. */
import type { NbdExport } from "#src/nbd/export.ts";
import { NbdServer } from "#src/nbd/server.ts";
import type { ServerEvent } from "#src/nbd/server-context.ts";
import { SimClock } from "#test/sim/sim-clock.ts";
import { SimHostClock } from "#test/sim/sim-host-clock.ts";
import { opening, type Style } from "./client-bytes.ts";
import { type MemoryConnection, MemorySockets } from "./memory-connection.ts";
import { parseReply, type Reply } from "./server-bytes.ts";

export class MemoryServer {
  readonly world = new SimClock();
  readonly server: NbdServer;
  readonly sockets: MemorySockets;
  readonly events: ServerEvent[] = [];

  private constructor(target: NbdExport, tls: boolean) {
    const clock = new SimHostClock(this.world);
    this.sockets = new MemorySockets((callback) => clock.soon(callback));
    this.server = new NbdServer({
      exports: { find: (name) => (name === "" || name === target.name ? target : undefined), list: () => [target] },
      sockets: this.sockets,
      clock,
      report: (event) => this.events.push(event),
      ...(tls ? { tls: { policy: "allow" as const, credentials: {} } } : {}),
    });
  }

  static async serving(target: NbdExport, { tls = false } = {}): Promise<MemoryServer> {
    const served = new MemoryServer(target, tls);
    await served.server.listen({ kind: "unix", path: "memory" });
    return served;
  }

  /** A client in the transmission phase. */
  open(style: Style = "simple", contexts: readonly string[] = []): MemoryClient {
    const client = this.greet(style);
    client.say(Buffer.concat(opening(style, contexts)));
    client.connection.takeOutput();
    return client;
  }

  /** A client that has said nothing yet. */
  greet(style: Style = "simple"): MemoryClient {
    return new MemoryClient(this.world, this.sockets.open(), style);
  }
}

export class MemoryClient {
  readonly #world: SimClock;
  readonly connection: MemoryConnection;
  readonly style: Style;

  constructor(world: SimClock, connection: MemoryConnection, style: Style) {
    this.#world = world;
    this.connection = connection;
    this.style = style;
  }

  /** Says what the server is ready to hear, gives it its turns, and answers how much it heard. */
  say(bytes: Buffer): number {
    const heard = this.connection.deliver(bytes);
    this.#world.advance(0);
    return heard;
  }

  /** The whole replies that came since the last call; simple replies to reads must be told how long they are. */
  replies(readBytesOf: (cookie: bigint) => number = () => 0): Reply[] {
    this.#world.advance(0);
    const bytes = this.connection.takeOutput();
    const found: Reply[] = [];
    for (let at = 0; at < bytes.length; ) {
      const reply = parseReply(this.style, bytes, at, readBytesOf);
      if (reply === undefined) throw new Error(`${bytes.length - at} bytes of no whole reply`);
      found.push(reply);
      at += reply.byteLength;
    }
    return found;
  }
}
