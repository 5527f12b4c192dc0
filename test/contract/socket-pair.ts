/** What the contract of sockets is tried on: where to listen, and both ends of one connection. */
import { expect, onTestFinished } from "vitest";
import type { Connection, Listener, SocketAddress, Sockets } from "#src/host/socket.ts";
import { type Driver, driven } from "./driver.ts";
import { type PeerHabits, RecordingPeer } from "./recording-peer.ts";

export interface SocketsBench {
  readonly sockets: Sockets;
  readonly driver: Driver;
  /** Where a test may listen. */
  readonly address: SocketAddress;
  /** Where nobody listens. */
  readonly deserted: SocketAddress;
  /** More than a connection takes before the other end receives. */
  readonly tooMuchBytes: number;
  /** Where somebody listens who never answers; not every kind of socket has such a thing. */
  readonly silent?: () => Promise<SocketAddress>;
}

export const connectMs = 10_000;

export interface Pair {
  readonly client: RecordingPeer;
  readonly server: RecordingPeer;
  readonly driver: Driver;
  readonly listener: Listener;
}

export async function listening(bench: SocketsBench, accepted: (connection: Connection) => void): Promise<Listener> {
  const listener = await driven(bench.driver, bench.sockets.listen(bench.address, accepted));
  onTestFinished(() => listener.close());
  return listener;
}

export async function connected(bench: SocketsBench, address: SocketAddress): Promise<Connection> {
  const connection = await driven(bench.driver, bench.sockets.connect(address, connectMs));
  onTestFinished(() => connection.destroy());
  return connection;
}

/** Both ends of one connection, not started. */
export async function pair(
  bench: SocketsBench,
  clientHabits: PeerHabits = {},
  serverHabits: PeerHabits = {},
): Promise<Pair> {
  const accepted: Connection[] = [];
  const listener = await listening(bench, (connection) => {
    accepted.push(connection);
    onTestFinished(() => connection.destroy());
  });
  const connection = await connected(bench, listener.address);
  await bench.driver.until(() => accepted.length === 1);
  const client = new RecordingPeer(connection, clientHabits);
  const server = new RecordingPeer(accepted[0] as Connection, serverHabits);
  return { client, server, listener, driver: bench.driver };
}

/** Bytes that differ from place to place, cut into pieces of these lengths. */
export function piecesOf(seed: number, lengths: readonly number[]): Buffer[] {
  let at = seed;
  return lengths.map((length) => {
    const piece = Buffer.alloc(length);
    for (let index = 0; index < length; index++) piece[index] = (at++ * 31) % 253;
    return piece;
  });
}

export async function bothClosed({ client, server, driver }: Pair): Promise<void> {
  await driver.until(() => client.countOf("closed") > 0 && server.countOf("closed") > 0);
  await driver.quiet();
  expect([client.countOf("closed"), server.countOf("closed")]).toEqual([1, 1]);
}
