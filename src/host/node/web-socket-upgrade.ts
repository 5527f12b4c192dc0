/** Turns requests into WebSockets, with bounds on what a peer may say. */
import type { IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import type { Duplex } from "node:stream";
import type { ServerOptions, WebSocketServer } from "ws";
import type { WebSocketEars, WebSocketPeer } from "../web-socket.ts";

/** So long the other side may take to close as well. */
const closeMs = 1_000;

export interface UpgradeBounds {
  readonly messageBytesMax: number;
  /** The one of the protocols that a client offers that is spoken. */
  readonly protocol: string;
}

export interface Upgraded {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Loaded at once, for the first one who listens is there by then; most starts see none. */
const require = createRequire(import.meta.url);

export class WebSocketUpgrade {
  /** The types of the library lack the last one. */
  readonly #options: ServerOptions & { readonly closeTimeout: number };
  #server: WebSocketServer | undefined;

  constructor({ messageBytesMax, protocol }: UpgradeBounds) {
    this.#options = {
      noServer: true,
      clientTracking: false,
      maxPayload: messageBytesMax,
      // Memory for each listener, for texts of a few hundred bytes.
      perMessageDeflate: false,
      closeTimeout: closeMs,
      handleProtocols: (offered: ReadonlySet<string>) => (offered.has(protocol) ? protocol : (false as const)),
    };
  }

  /** What is no good WebSocket is answered by the library, and `begin` is not called. */
  accept({ request, socket, head }: Upgraded, begin: (peer: WebSocketPeer) => WebSocketEars): void {
    this.#server ??= new (require("ws") as typeof import("ws")).WebSocketServer(this.#options);
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      const ears = begin({
        send: (text) => webSocket.send(text, () => {}),
        get unsentBytes() {
          return webSocket.bufferedAmount;
        },
        ping: () => webSocket.ping(() => {}),
        close: (code, why) => webSocket.close(code, why),
        drop: () => webSocket.terminate(),
      });
      webSocket.on("pong", () => ears.alive());
      webSocket.on("message", () => ears.spoke());
      webSocket.on("close", () => ears.closed());
      // What it says of a peer's mistakes is followed by the close.
      webSocket.on("error", () => {});
    });
  }
}
