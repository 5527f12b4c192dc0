/**
 * The connections of an HTTP server, and what was asked on each and is not answered yet. Whoever asks ever more and takes no answer
 * is hung up on. At the end those are waited for who are owed an answer, and nobody else.
 */
import type http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import { httpUnansweredMax } from "#src/core/http-limits.ts";

export class HttpConnections {
  /** Without those that are no HTTP any more, or not yet. */
  readonly #owed = new Map<Socket, Set<http.ServerResponse>>();
  #isEnding = false;

  /** `server` does not listen yet. */
  constructor(server: http.Server) {
    server.on(server instanceof https.Server ? "secureConnection" : "connection", (socket: Socket) => {
      this.#owed.set(socket, new Set());
      socket.once("close", () => this.#owed.delete(socket));
    });
    server.on("upgrade", ({ socket }) => void this.#owed.delete(socket));
    server.prependListener("request", ({ socket }, response) => this.#asked(socket, response));
  }

  #asked(socket: Socket, response: http.ServerResponse): void {
    const owed = this.#owed.get(socket);
    if (owed === undefined) return;
    if (owed.size >= httpUnansweredMax) {
      socket.destroy();
      return;
    }
    if (this.#isEnding) {
      // Behind the last answer: what could not be told any more is not done either.
      if (owed.size > 0) {
        response.destroy();
        return;
      }
      response.setHeader("connection", "close");
    }
    owed.add(response);
    response.once("close", () => {
      owed.delete(response);
      if (this.#isEnding) endUnlessOwed(socket, owed);
    });
  }

  /** Each is told with its last answer that it was that, and connections on which nobody is owed one are closed at once. */
  end(): void {
    this.#isEnding = true;
    for (const [socket, owed] of this.#owed) {
      // In no other: behind the answer that says so nothing leaves any more.
      const last = [...owed].findLast(isAsked);
      if (last?.headersSent === false) last.setHeader("connection", "close");
      endUnlessOwed(socket, owed);
    }
  }
}

/** What has come in part is not asked yet. */
function isAsked({ req }: http.ServerResponse): boolean {
  return req.complete;
}

function endUnlessOwed(socket: Socket, owed: ReadonlySet<http.ServerResponse>): void {
  if (![...owed].some(isAsked)) socket.destroySoon();
}
