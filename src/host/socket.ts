/**
 * The socket port: byte streams, the way a data path wants them. No stream objects, no hidden queues: what cannot be
 * taken at once is said at once, and memory stays with the caller, who alone knows the bounds.
 */

export type SocketAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  /** An already listening socket handed over by the service manager. */
  | { readonly kind: "inherited"; readonly fd: number };

/** Who hears of a connection's events. Calls never nest: none is made from inside a call to the connection, but `target` from `start`. */
export interface Receiver {
  /**
   * Where the next bytes shall land, asked before each read. The buffer stays the receiver's; it must not be empty.
   * The connection may hold it until `received` or `closed`. With `mayWait` nobody knows when the bytes will come, and
   * more will be asked for as soon as they have: thousands of connections may then be waiting to fill theirs.
   */
  target(mayWait?: boolean): Buffer;
  /**
   * `byteLength` bytes now lie at the start of `buffer`, which `target` returned last. True: the peer was answered and
   * probably waits for nothing else, so it is worth looking at once whether its next bytes are there.
   */
  received(buffer: Buffer, byteLength: number): boolean;
  /** All that `send` or `sendAll` did not take at once is on its way; sending is allowed again. */
  drained(): void;
  /** The peer will send no more. */
  ended(): void;
  /** The connection is gone; the last call. `error` is absent after a close that was asked for. */
  closed(error?: Error): void;
}

export interface Connection {
  /** For people: the peer's address, or the socket's path. */
  readonly peer: string;
  /** Begins to receive. Called once. */
  start(receiver: Receiver): void;
  /** Bytes that were not taken yet (0: all sent, and sending is allowed). While above 0 neither `send` nor `sendAll` may be called. */
  readonly unsentBytes: number;
  /** True: all taken, the bytes may be reused. False: the connection holds the bytes until `drained`. */
  send(buffer: Buffer, start: number, end: number): boolean;
  /** As `send`, for several pieces in one system call. */
  sendAll(pieces: readonly Buffer[]): boolean;
  /** The peer will answer what was sent at once: where it is near, falling asleep until then would take longer. */
  expectAnswer(): void;
  pause(): void;
  resume(): void;
  /** Ends politely after what was sent; `closed` follows. */
  end(): void;
  /** Ends at once; `closed` follows. */
  destroy(error?: Error): void;
}

export interface Listener {
  readonly address: SocketAddress;
  /** Stops accepting. Connections that stand are not touched. */
  close(): Promise<void>;
}

/** PEM texts. With `ca` the peer must show a certificate that it signed. */
export interface TlsCredentials {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

export interface SecureOptions {
  readonly role: "server" | "client";
  readonly credentials: TlsCredentials;
  /** The name that the server's certificate must bear; for clients. */
  readonly serverName?: string;
  readonly timeoutMs: number;
}

export interface Sockets {
  listen(address: SocketAddress, accepted: (connection: Connection) => void): Promise<Listener>;
  connect(address: SocketAddress, timeoutMs: number): Promise<Connection>;
  /** Puts TLS around a connection, started or not, and takes it over: what comes back is not started yet. */
  secure(connection: Connection, options: SecureOptions): Promise<Connection>;
}
