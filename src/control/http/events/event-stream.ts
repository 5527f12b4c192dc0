/**
 * Those who listen to events. Each hears all of them in order, from where he asks on; who does not take what he is sent, does not
 * answer, or whose token holds no more is dropped, so that nobody costs more memory than he may.
 */
import { eventBeatMs, eventBufferBytesMax, eventListenersMax, eventWatchMs } from "#src/core/http-limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { WebSocketEars, WebSocketPeer } from "#src/host/web-socket.ts";
import type { StatusReport } from "../../control-plane.ts";
import type { EventDraft } from "./event.ts";
import type { EventFile } from "./event-file.ts";
import { EventHistory } from "./event-history.ts";
import { EventWatch } from "./event-watch.ts";

export interface EventStreamParts {
  readonly version: string;
  readonly clock: Clock;
  readonly status: () => Promise<StatusReport>;
  /** Where they are kept over a restart. */
  readonly file?: EventFile;
}

export interface Listening {
  readonly afterId: number | undefined;
  /** Whether he may still listen. */
  readonly mayGoOn: () => boolean;
}

interface Listener {
  readonly peer: WebSocketPeer;
  readonly mayGoOn: () => boolean;
  isAlive: boolean;
}

/** As RFC 6455 has them, and from 4000 on our own. */
export const closeCodes = {
  goingAway: 1001,
  nothingAsked: 1003,
  tooMany: 1013,
  tokenGone: 4401,
  tooSlow: 4408,
} as const;

export class EventStream {
  readonly history: EventHistory;
  readonly #parts: EventStreamParts;
  readonly #watch = new EventWatch();
  readonly #listeners = new Set<Listener>();
  #timers: Timer[] = [];
  #isClosed = false;

  constructor(parts: EventStreamParts) {
    this.#parts = parts;
    this.history = new EventHistory(parts.clock.wallMs(), parts.file?.found, parts.file?.mayLackSome);
  }

  start(): void {
    this.publish({ kind: "program", facts: { state: "started", version: this.#parts.version } });
    // At once: what happens before the first look has happened since.
    this.#look((status) => this.#watch.begin(status));
    this.#beatAgain();
  }

  publish(draft: EventDraft): void {
    const told = this.history.add(draft, this.#parts.clock.wallMs());
    this.#parts.file?.add(told);
    for (const listener of this.#listeners) this.#send(listener, told.text);
  }

  /** `peer` is connected. Answers what it says. */
  add(peer: WebSocketPeer, { afterId, mayGoOn }: Listening): WebSocketEars {
    const listener: Listener = { peer, mayGoOn, isAlive: true };
    if (this.#isClosed || this.#listeners.size >= eventListenersMax) {
      peer.close(closeCodes.tooMany, "too many listen already");
    } else {
      this.#listeners.add(listener);
      this.#greet(listener, afterId);
    }
    return {
      alive: () => {
        listener.isAlive = true;
      },
      spoke: () => this.#end(listener, closeCodes.nothingAsked, "nothing is asked for here"),
      closed: () => void this.#listeners.delete(listener),
    };
  }

  /** Those whose token holds no more hear nothing from now on. */
  endUnknown(): void {
    for (const listener of [...this.#listeners]) {
      if (!listener.mayGoOn()) this.#end(listener, closeCodes.tokenGone, "the token does not hold any more");
    }
  }

  /** What is published afterwards is kept all the same. */
  close(): void {
    this.publish({ kind: "program", facts: { state: "ended" } });
    this.#isClosed = true;
    for (const timer of this.#timers) timer.cancel();
    for (const listener of [...this.#listeners]) this.#end(listener, closeCodes.goingAway, "the program ends");
  }

  #greet(listener: Listener, afterId: number | undefined): void {
    const { events, isMore } = this.history.since(afterId);
    const { oldestId: oldest, newestId: newest } = this.history;
    this.#send(
      listener,
      JSON.stringify({ type: "hello", version: this.#parts.version, oldest, newest, missed: isMore }),
    );
    for (const { text } of events) this.#send(listener, text);
  }

  #send(listener: Listener, text: string): void {
    if (!this.#listeners.has(listener)) return;
    if (listener.peer.unsentBytes + text.length > eventBufferBytesMax) {
      this.#listeners.delete(listener);
      listener.peer.drop();
      return;
    }
    listener.peer.send(text);
  }

  #end(listener: Listener, code: number, why: string): void {
    this.#listeners.delete(listener);
    listener.peer.close(code, why);
  }

  /** One who says nothing from one beat to the next is gone, whatever the network says. */
  #beat(): void {
    this.endUnknown();
    for (const listener of [...this.#listeners]) {
      if (!listener.isAlive) {
        this.#listeners.delete(listener);
        listener.peer.drop();
      } else {
        listener.isAlive = false;
        listener.peer.ping();
      }
    }
  }

  #beatAgain(): void {
    this.#again(0, eventBeatMs, () => {
      this.#beat();
      this.#beatAgain();
    });
  }

  /** And from then on again and again, for what has happened. */
  #look(see: (status: StatusReport) => void): void {
    const publishNews = (status: StatusReport): void => {
      if (!this.#isClosed) for (const draft of this.#watch.look(status)) this.publish(draft);
    };
    void this.#parts
      .status()
      .then(see)
      // A status that cannot be had is no event; the next one is asked for all the same.
      .catch(() => {})
      .then(() => this.#again(1, eventWatchMs, () => this.#look(publishNews)));
  }

  #again(place: 0 | 1, delayMs: number, callback: () => void): void {
    if (!this.#isClosed) this.#timers[place] = this.#parts.clock.timer(delayMs, callback);
  }
}
