/** What both ends of every link are given. */
import { RefuseError } from "#src/core/errors.ts";
import { wireFarewellMs, wireHandshakeMs, wireHeartbeatMs, wireSilenceMs } from "#src/core/limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import type { Randomness } from "#src/host/randomness.ts";
import type { SocketAddress, Sockets } from "#src/host/socket.ts";

export interface LinkOptions {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly log: Log;
  /** Known to both sides, and to nobody else. */
  readonly token: string;
  /** From the connection to the proof, TLS included. */
  readonly handshakeMs?: number;
  readonly heartbeatMs?: number;
  /** A peer that says nothing for so long is taken for dead. */
  readonly silenceMs?: number;
  /** How long a connection that has said farewell waits for the other side to take it. */
  readonly farewellMs?: number;
}

export interface LinkTiming {
  readonly clock: Clock;
  readonly handshakeMs: number;
  readonly heartbeatMs: number;
  readonly silenceMs: number;
  readonly farewellMs: number;
}

export function timingOf(options: LinkOptions): LinkTiming {
  return {
    clock: options.clock,
    handshakeMs: options.handshakeMs ?? wireHandshakeMs,
    heartbeatMs: options.heartbeatMs ?? wireHeartbeatMs,
    silenceMs: options.silenceMs ?? wireSilenceMs,
    farewellMs: options.farewellMs ?? wireFarewellMs,
  };
}

export function checkToken(token: string): void {
  if (token.length === 0) throw new RefuseError("a link needs a token");
}

export function describeAddress(address: SocketAddress): string {
  switch (address.kind) {
    case "unix":
      return address.path;
    case "tcp":
      return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
    case "inherited":
      return `descriptor ${address.fd}`;
  }
}
