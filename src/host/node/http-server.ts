/** An HTTP server with bounds on all that a peer can make long, many or slow. */
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import {
  httpBodyBytesMax,
  httpConnectionsMax,
  httpHeaderBytesMax,
  httpHeaderMs,
  httpIdleMs,
  httpRequestMs,
} from "#src/core/limits.ts";
import type { HttpHandler, HttpListener, HttpRequest, HttpResponse } from "../http.ts";
import type { TlsCredentials } from "../socket.ts";

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: TlsCredentials;
  readonly handle: HttpHandler;
}

export async function listenHttp(options: HttpOptions): Promise<HttpListener> {
  const bounds = {
    maxHeaderSize: httpHeaderBytesMax,
    headersTimeout: httpHeaderMs,
    requestTimeout: httpRequestMs,
    keepAliveTimeout: httpIdleMs,
    connectionsCheckingInterval: httpHeaderMs / 10,
  };
  const answer: http.RequestListener = (request, response) => void serve(request, response, options.handle);
  const server =
    options.tls === undefined
      ? http.createServer(bounds, answer)
      : https.createServer({ ...bounds, ...options.tls, handshakeTimeout: httpHeaderMs }, answer);
  server.maxConnections = httpConnectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      // Running out of descriptors is no reason to stop: those who wait are accepted when some are free again.
      server.on("error", () => {});
      resolve();
    });
  });
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port, close: () => close(server) };
}

function close(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

async function serve(request: http.IncomingMessage, response: http.ServerResponse, handle: HttpHandler): Promise<void> {
  // Who hangs up in the middle wants no answer.
  request.on("error", () => {});
  response.on("error", () => {});
  const body = await receive(request);
  if (body === "gone") return;
  send(response, body === "too long" ? tooLong : await handle(plainRequest(request, body)));
}

function plainRequest(request: http.IncomingMessage, body: Buffer): HttpRequest {
  const headers = Object.entries(request.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(", ") : value,
  ]);
  return {
    method: request.method ?? "",
    target: request.url ?? "",
    // Without a prototype: a header may have any name.
    headers: Object.assign(Object.create(null), Object.fromEntries(headers)),
    body,
  };
}

/** What is too long is read to its end all the same, within the time of a request: who still sends hears no answer. */
async function receive(request: http.IncomingMessage): Promise<Buffer | "too long" | "gone"> {
  const pieces: Buffer[] = [];
  let byteLength = 0;
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      byteLength += piece.length;
      if (byteLength <= httpBodyBytesMax) pieces.push(piece);
      else pieces.length = 0;
    }
  } catch {
    return "gone";
  }
  return byteLength > httpBodyBytesMax ? "too long" : Buffer.concat(pieces);
}

const tooLong: HttpResponse = {
  status: 413,
  headers: { "content-type": "application/problem+json" },
  body: `${JSON.stringify({
    title: "Content Too Large",
    status: 413,
    detail: `a request's body has at most ${httpBodyBytesMax} bytes`,
  })}\n`,
};

function send(response: http.ServerResponse, { status, headers, body }: HttpResponse): void {
  if (response.destroyed) return;
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
