/** The stream of events as a command hears it: goes on behind the last event that was seen. */
import type { ApiEvent } from "#src/control/http/events/event.ts";
import type { OpenWebSocket } from "#src/host/node/web-socket-client.ts";
import type { ApiClient } from "./api-client.ts";

export interface EventEars {
  event(event: ApiEvent): void;
  /** There were others, which are not kept any more. */
  missed(): void;
}

export interface Lost {
  readonly cause: Error;
  /** It is not worth trying again. */
  readonly isFinal: boolean;
}

interface Hello {
  readonly type: "hello";
  readonly missed: boolean;
}

type Message = Hello | (ApiEvent & { readonly type: "event" });

export class EventListening {
  readonly #api: ApiClient;
  readonly #ears: EventEars;
  #afterId: number | undefined;
  #socket: OpenWebSocket | undefined;
  hasBegun = false;

  constructor(api: ApiClient, afterId: number | undefined, ears: EventEars) {
    this.#api = api;
    this.#afterId = afterId;
    this.#ears = ears;
  }

  /** Resolves when the connection is lost, or was never made. */
  listen(): Promise<Lost> {
    const { promise, resolve } = Promise.withResolvers<Lost>();
    void this.#api
      .listen(
        ["events"],
        { after: this.#afterId?.toString() },
        {
          message: (text) => this.#hear(JSON.parse(text) as Message),
          refused: (cause) => resolve({ cause, isFinal: true }),
          closed: (cause) => resolve({ cause, isFinal: false }),
        },
      )
      .then((socket) => {
        this.#socket = socket;
      })
      // What cannot even be asked for, such as by a token with other letters in it than a header takes.
      .catch((cause: Error) => resolve({ cause, isFinal: true }));
    return promise;
  }

  end(): void {
    this.#socket?.end();
  }

  #hear(message: Message): void {
    this.hasBegun = true;
    if (message.type === "hello") {
      if (message.missed) this.#ears.missed();
      return;
    }
    const { type: _, ...event } = message;
    this.#afterId = event.id;
    this.#ears.event(event);
  }
}
