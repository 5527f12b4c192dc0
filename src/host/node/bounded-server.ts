/** HTTP and HTTPS servers with bounds on all that a peer can make long, many or slow before anybody looks at what it asks. */
import type { IncomingMessage, RequestListener, Server } from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { assert } from "#src/core/assert.ts";
import { httpCloseMs, httpHeadersMax } from "#src/core/http-limits.ts";
import { httpConnectionsMax, httpHeaderBytesMax, httpHeaderMs, httpIdleMs, httpRequestMs } from "#src/core/limits.ts";
import type { HttpListener } from "../http.ts";
import type { TlsCredentials } from "../socket.ts";
import { HttpConnections } from "./http-connections.ts";
import { http } from "./http-module.ts";

export function boundedServer(handler: RequestListener, tls: TlsCredentials | undefined): Server {
  const bounds = {
    maxHeaderSize: httpHeaderBytesMax,
    headersTimeout: httpHeaderMs,
    requestTimeout: httpRequestMs,
    keepAliveTimeout: httpIdleMs,
    connectionsCheckingInterval: httpHeaderMs / 10,
    // Some clients offer HTTP/2 with their first request, and take it well that nobody answers to that.
    shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === "websocket",
  };
  // What one who was hung up on has asked for besides is no work for anybody.
  const unlessGone: RequestListener = (request, response) => {
    if (!request.socket.destroyed && !response.destroyed) handler(request, response);
  };
  const server =
    tls === undefined
      ? http.createServer(bounds, unlessGone)
      : https.createServer({ ...bounds, ...tls, handshakeTimeout: httpHeaderMs }, unlessGone);
  server.maxConnections = httpConnectionsMax;
  server.maxHeadersCount = httpHeadersMax;
  return server;
}

/** To all who connect from now on; `server` was made with one. */
export function showCertificate(server: Server, tls: TlsCredentials): void {
  assert(server instanceof https.Server, "a server without TLS has no certificate to show");
  server.setSecureContext(tls);
}

export async function listenOn(server: Server, host: string, port: number): Promise<HttpListener> {
  const connections = new HttpConnections(server);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      // Running out of descriptors is no reason to stop: those who wait are accepted when some are free again.
      server.on("error", () => {});
      resolve();
    });
  });
  const { address, port: bound } = server.address() as AddressInfo;
  return { host: address, port: bound, close: () => close(server, { connections, sockets }) };
}

interface Connected {
  readonly connections: HttpConnections;
  /** Also those that speak no HTTP: not yet, or not any more. */
  readonly sockets: ReadonlySet<Socket>;
}

/** Answers what was asked already, then closes all connections: also those of which the server knows nothing yet, or no more. */
function close(server: Server, { connections, sockets }: Connected): Promise<void> {
  return new Promise((resolve) => {
    const last = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, httpCloseMs);
    server.close(() => {
      clearTimeout(last);
      resolve();
    });
    connections.end();
  });
}
