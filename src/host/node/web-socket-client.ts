/** One WebSocket that is listened to. */
import { WebSocket } from "ws";

export interface WebSocketCall {
  readonly url: URL;
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The authority that signed the server's certificate, where it is not one that the system knows (PEM). */
  readonly ca?: string;
  readonly messageBytesMax: number;
  /** Without a sign of life for so long it is given up. */
  readonly silenceMs: number;
}

export interface WebSocketListener {
  message(text: string): void;
  /** `status`: of an answer that was none of a WebSocket; `body`: what it said. */
  refused(status: number, body: string): void;
  closed(why: Error): void;
}

export interface OpenWebSocket {
  end(): void;
}

/** One of `refused` and `closed` is called, once, after all messages. */
export function callWebSocket(call: WebSocketCall, listener: WebSocketListener): OpenWebSocket {
  const { url, protocol, headers, ca, messageBytesMax, silenceMs } = call;
  const address = new URL(url);
  address.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address, protocol, {
    ...{ headers, maxPayload: messageBytesMax, perMessageDeflate: false, handshakeTimeout: silenceMs },
    ...(ca === undefined ? {} : { ca }),
  });
  let failure: Error | undefined;
  let isRefused = false;
  const silence = setTimeout(() => {
    failure = new Error(`nothing came for ${silenceMs / 1000} s`);
    socket.terminate();
  }, silenceMs);
  const heard = (): void => void silence.refresh();
  socket.on("ping", heard);
  socket.on("open", heard);
  socket.on("message", (data) => {
    heard();
    listener.message(String(data));
  });
  socket.on("error", (error) => {
    failure ??= error;
  });
  socket.on("unexpected-response", (request, response) => {
    isRefused = true;
    clearTimeout(silence);
    const pieces: Buffer[] = [];
    response.on("data", (piece: Buffer) => pieces.length < 16 && pieces.push(piece));
    response.on("end", () => {
      listener.refused(response.statusCode ?? 0, Buffer.concat(pieces).toString("utf8"));
      request.destroy();
    });
  });
  socket.on("close", (code, why) => {
    clearTimeout(silence);
    if (!isRefused) listener.closed(failure ?? new Error(why.toString("utf8") || `closed with code ${code}`));
  });
  return { end: () => socket.terminate() };
}
