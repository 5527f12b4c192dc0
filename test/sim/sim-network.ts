/**
 * The network between simulated hosts: each hears of the others by their names. A path between two hosts can be late
 * or held, one way at a time; the connections over it can be reset, or become half-open: bytes vanish, nobody is told.
 */
import type { Connection, SocketAddress } from "#src/host/socket.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimClock } from "./sim-clock.ts";
import { SimConnection } from "./sim-connection.ts";
import type { SimHostClock } from "./sim-host-clock.ts";
import { type SimLink, SimPath } from "./sim-path.ts";
import { SimPipe } from "./sim-pipe.ts";
import type { Trace } from "./trace.ts";

/** A host as the network knows it. */
export interface NetworkHost {
  readonly name: string;
  readonly clock: SimHostClock;
}

export interface SimListener {
  readonly host: NetworkHost;
  readonly accepted: (connection: Connection) => void;
}

interface Standing {
  readonly client: { readonly host: NetworkHost; readonly end: SimConnection };
  readonly server: { readonly host: NetworkHost; readonly end: SimConnection };
  readonly there: SimPipe;
  readonly back: SimPipe;
}

export class SimNetwork {
  readonly #clock: SimClock;
  readonly #random: SeededRandom;
  readonly #trace: Trace;
  readonly #paths = new Map<string, SimPath>();
  readonly #listeners = new Map<string, SimListener>();
  readonly #standing = new Set<Standing>();
  #nextPort = 40_000;
  #joinedCount = 0;

  constructor(clock: SimClock, random: SeededRandom, trace: Trace) {
    this.#clock = clock;
    this.#random = random;
    this.#trace = trace;
  }

  /** One direction. */
  path(from: string, to: string): SimPath {
    const key = `${from} > ${to}`;
    let path = this.#paths.get(key);
    if (path === undefined) {
      path = new SimPath(this.#clock, this.#random.fork(key));
      this.#paths.set(key, path);
    }
    return path;
  }

  /** All connections between the two are reset, at both ends. */
  cut(nameA: string, nameB: string): void {
    this.#trace.add(`network: cut ${nameA} and ${nameB}`);
    for (const { client, server } of this.#between(nameA, nameB)) {
      client.end.wasReset();
      server.end.wasReset();
    }
  }

  /** On the connections that stand, nothing gets from one to the other any more, and neither is told. */
  halfOpen(from: string, to: string): void {
    this.#trace.add(`network: nothing gets from ${from} to ${to}`);
    for (const { client, there, back } of this.#between(from, to)) {
      if (client.host.name === from) there.vanish();
      if (client.host.name === to) back.vanish();
    }
  }

  #between(nameA: string, nameB: string): Standing[] {
    return [...this.#standing].filter(({ client, server }) => {
      const names = [client.host.name, server.host.name];
      return (names[0] === nameA && names[1] === nameB) || (names[0] === nameB && names[1] === nameA);
    });
  }

  /** The host's processes died: their sockets are closed for them, or, without power, never again heard of. */
  dropHost(name: string, hasPower: boolean): void {
    for (const [key, listener] of this.#listeners) if (listener.host.name === name) this.#listeners.delete(key);
    for (const standing of this.#standing) {
      const { client, server, there, back } = standing;
      const ends = [client, server].filter((end) => end.host.name === name);
      if (ends.length === 0) continue;
      if (!hasPower) for (const pipe of [there, back]) pipe.vanish();
      for (const { end } of ends) end.abandon();
    }
  }

  addListener(host: NetworkHost, address: SocketAddress, listener: SimListener): SocketAddress | undefined {
    const bound = address.kind === "tcp" && address.port === 0 ? { ...address, port: this.#nextPort++ } : address;
    const key = keyOf(host.name, bound);
    if (this.#listeners.has(key)) return undefined;
    this.#listeners.set(key, listener);
    return bound;
  }

  removeListener(host: NetworkHost, address: SocketAddress): void {
    this.#listeners.delete(keyOf(host.name, address));
  }

  listenerAt(hostName: string, address: SocketAddress): SimListener | undefined {
    return this.#listeners.get(keyOf(hostName, address));
  }

  /** A connection stands; what travels on its two links stays in order. */
  join(client: NetworkHost, server: NetworkHost, address: SocketAddress, links: readonly [SimLink, SimLink]): Standing {
    const random = this.#random.fork(`connection ${this.#joinedCount++}`);
    const where = describeAddress(address);
    this.#trace.add(`network: ${client.name} connects to ${where} of ${server.name}`);
    const gone = (): void => {
      goneCount++;
      if (goneCount === 2) this.#standing.delete(standing);
    };
    let goneCount = 0;
    const clientEnd = this.#end(client, `${where} of ${server.name}`, random.fork("client"), gone);
    const serverEnd = this.#end(server, `${client.name} at ${where}`, random.fork("server"), gone);
    const there = new SimPipe(links[0], random.fork("there"), clientEnd, serverEnd);
    const back = new SimPipe(links[1], random.fork("back"), serverEnd, clientEnd);
    clientEnd.attach(back, there);
    serverEnd.attach(there, back);
    const standing: Standing = {
      client: { host: client, end: clientEnd },
      server: { host: server, end: serverEnd },
      there,
      back,
    };
    this.#standing.add(standing);
    return standing;
  }

  #end(host: NetworkHost, peer: string, random: SeededRandom, gone: () => void): SimConnection {
    const note = (text: string): void => this.#trace.add(`${host.name} socket: ${text}`);
    return new SimConnection({ peer, clock: host.clock, random, note, gone });
  }

  /** Connections of which at least one end is not closed. */
  get standingCount(): number {
    return this.#standing.size;
  }
}

function keyOf(hostName: string, address: SocketAddress): string {
  return address.kind === "tcp" ? `${hostName} tcp ${address.port}` : `${hostName} ${describeAddress(address)}`;
}

export function describeAddress(address: SocketAddress): string {
  switch (address.kind) {
    case "unix":
      return address.path;
    case "tcp":
      return `${address.host}:${address.port}`;
    case "inherited":
      return `descriptor ${address.fd}`;
  }
}
