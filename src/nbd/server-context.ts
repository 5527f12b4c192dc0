/** What a server is given, and what all its connections share. */
import type { Clock } from "#src/host/clock.ts";
import type { Sockets, TlsCredentials } from "#src/host/socket.ts";
import type { ExportDirectory } from "./export.ts";
import type { TlsPolicy } from "./handshake.ts";
import type { SharedBuffers } from "./shared-buffers.ts";

export type ServerEvent =
  | { readonly kind: "attached"; readonly peer: string; readonly exportName: string }
  /** Gone before it chose an export. */
  | { readonly kind: "left"; readonly peer: string; readonly why: string }
  | { readonly kind: "dropped"; readonly peer: string; readonly why: string };

export interface NbdServerOptions {
  readonly exports: ExportDirectory;
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly tls?: { readonly policy: TlsPolicy; readonly credentials: TlsCredentials };
  readonly report?: (event: ServerEvent) => void;
}

/** What all connections of a server share. */
export interface ServerContext {
  readonly exports: ExportDirectory;
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly tls: NbdServerOptions["tls"];
  readonly report: (event: ServerEvent) => void;
  readonly shared: SharedBuffers;
}
