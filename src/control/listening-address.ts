/** Addresses as people write them. */
import { RefuseError, StopError } from "#src/core/errors.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import { systemReason } from "#src/host/system-words.ts";

/** `HOST:PORT`, `[IPV6]:PORT`, or the path of a Unix socket. */
export function parseAddress(text: string, what: string): SocketAddress {
  if (text.startsWith("/") || text.startsWith("./")) return { kind: "unix", path: text };
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new RefuseError(`${what} must be HOST:PORT or the path of a Unix socket, not '${text}'`);
  }
  return { kind: "tcp", host: (match[1] ?? match[2]) as string, port };
}

export function formatAddress(address: SocketAddress): string {
  switch (address.kind) {
    case "unix":
      return address.path;
    case "tcp":
      return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
    case "inherited":
      return "the socket that was handed over";
  }
}

/** An address that cannot be listened on is named, together with what would choose another. */
export async function listenInWords(
  address: SocketAddress,
  { forWhom, settings }: { readonly forWhom: string; readonly settings: string },
  listen: (address: SocketAddress) => Promise<SocketAddress>,
): Promise<SocketAddress> {
  try {
    return await listen(address);
  } catch (error) {
    const why = systemReason(error) ?? (error as Error).message;
    throw new StopError(
      `cannot listen on ${formatAddress(address)} for ${forWhom}: ${why}; ${settings} would choose another address`,
      { cause: error },
    );
  }
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
