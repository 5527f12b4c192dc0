/** Socket activation: a service manager listens, and hands the socket to the process that it starts. */
import type { SocketAddress } from "../socket.ts";

/** Descriptors from 3 on are handed over, to the process that LISTEN_PID names. */
const firstDescriptor = 3;

export function inheritedSocket(): SocketAddress | undefined {
  if (process.env.LISTEN_PID !== String(process.pid) || Number(process.env.LISTEN_FDS) < 1) return undefined;
  return { kind: "inherited", fd: firstDescriptor };
}
