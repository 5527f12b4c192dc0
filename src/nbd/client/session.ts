/** From an address to the end of a handshake, TLS in between where it is wanted. */
import type { Clock } from "#src/host/clock.ts";
import type { Connection, Receiver, SocketAddress, Sockets, TlsCredentials } from "#src/host/socket.ts";
import { systemReason } from "#src/host/system-words.ts";
import { NbdConnectionError } from "./errors.ts";
import { type Goal, Handshake, type Outcome } from "./handshake.ts";
import { Negotiation } from "./negotiation.ts";
import { Relay } from "./relay.ts";

/** TLS is then a must: a server without it is not talked to. */
export interface ClientTls extends TlsCredentials {
  /** The name that the server's certificate must bear, where it is not the host's. */
  readonly serverName?: string;
}

export interface SessionOptions {
  readonly address: SocketAddress;
  readonly tls?: ClientTls;
  readonly connectTimeoutMs: number;
  /** A step of the handshake, and later a request, that gets nowhere for this long ends the connection. */
  readonly requestTimeoutMs: number;
  readonly sockets: Sockets;
  readonly clock: Clock;
}

/** Called at the byte at which the handshake ends; what it returns goes on with the connection. */
export type TakeOver = (outcome: Outcome, connection: Connection) => Receiver | undefined;

/** Resolves when `takeOver` was called. */
export async function holdSession(options: SessionOptions, goal: Goal, takeOver: TakeOver): Promise<void> {
  const handshake = new Handshake(goal, options.tls !== undefined);
  const connection = await open(options);
  const end = await negotiate(connection, handshake, options, takeOver);
  if (end === "over") return;
  const secured = await secure(connection, options);
  await negotiate(secured, handshake, options, takeOver);
}

async function open(options: SessionOptions): Promise<Connection> {
  try {
    return await options.sockets.connect(options.address, options.connectTimeoutMs);
  } catch (error) {
    const why = systemReason(error) ?? (error as Error).message;
    throw new NbdConnectionError(`no connection to ${describe(options.address)}: ${why}`, { cause: error });
  }
}

async function secure(connection: Connection, options: SessionOptions): Promise<Connection> {
  const { serverName = hostOf(options.address), ...credentials } = options.tls ?? {};
  try {
    return await options.sockets.secure(connection, {
      role: "client",
      credentials,
      ...(serverName === undefined ? {} : { serverName }),
      timeoutMs: options.connectTimeoutMs,
    });
  } catch (error) {
    connection.destroy();
    const why = systemReason(error) ?? (error as Error).message;
    throw new NbdConnectionError(`no TLS with ${describe(options.address)}: ${why}`, { cause: error });
  }
}

function negotiate(
  connection: Connection,
  handshake: Handshake,
  options: SessionOptions,
  takeOver: TakeOver,
): Promise<"over" | "secure"> {
  const { promise, resolve, reject } = Promise.withResolvers<"over" | "secure">();
  const negotiation = new Negotiation(
    connection,
    handshake,
    { clock: options.clock, stepMs: options.requestTimeoutMs },
    {
      over: (outcome) => {
        const receiver = takeOver(outcome, connection);
        resolve("over");
        if (receiver === undefined) return "leave";
        relay.receiver = receiver;
        return "stay";
      },
      secure: () => resolve("secure"),
      failed: reject,
    },
  );
  const relay = new Relay(negotiation);
  connection.start(relay);
  negotiation.begin();
  return promise;
}

function hostOf(address: SocketAddress): string | undefined {
  return address.kind === "tcp" ? address.host : undefined;
}

export function describe(address: SocketAddress): string {
  switch (address.kind) {
    case "unix":
      return address.path;
    case "tcp":
      return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
    case "inherited":
      return `descriptor ${address.fd}`;
  }
}
