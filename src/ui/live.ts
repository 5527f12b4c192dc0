/**
 * The stream of events over a WebSocket: connects, goes on behind the last event that was seen, and connects again when it is
 * lost, ever more rarely.
 */
import { backOffMs } from "./back-off.ts";
import type { Browser, BrowserSocket } from "./browser.ts";
import type { PageEvent } from "./event-log.ts";
import { type StreamMessage, streamAddress, streamMessage, streamProtocols } from "./stream-format.ts";

export interface LiveEars {
  /** Which token to show, and behind which event to go on. */
  readonly place: () => { readonly token: string | undefined; readonly afterId: number | undefined };
  /** Events of before the last one that was seen are gone, or are counted anew. */
  readonly begunAnew: () => void;
  readonly heard: (event: PageEvent) => void;
  readonly opened: () => void;
  /** `againAtMs`: when it is tried again. */
  readonly lost: (againAtMs: number) => void;
}

export class Live {
  readonly #browser: Browser;
  readonly #ears: LiveEars;
  #socket: BrowserSocket | undefined;
  #attempt = 0;
  #takeBack: (() => void) | undefined;

  constructor(browser: Browser, ears: LiveEars) {
    this.#browser = browser;
    this.#ears = ears;
  }

  /** Now, whatever was going to happen. */
  connect(): void {
    this.stop();
    const { token, afterId } = this.#ears.place();
    const socket = this.#browser.openSocket(streamAddress(afterId), streamProtocols(token), {
      opened: () => {
        this.#attempt = 0;
        this.#ears.opened();
      },
      message: (text) => this.#saw(streamMessage(text)),
      closed: () => {
        // One that was given up has nothing to say any more.
        if (this.#socket === socket) this.#again();
      },
    });
    this.#socket = socket;
  }

  #saw(message: StreamMessage | undefined): void {
    if (message?.kind === "event") this.#ears.heard(message.event);
    else if (message?.isMissed === true) this.#ears.begunAnew();
  }

  #again(): void {
    this.#socket = undefined;
    const ms = backOffMs(this.#attempt++, this.#browser.chance());
    this.#takeBack = this.#browser.after(ms, () => this.connect());
    this.#ears.lost(this.#browser.nowMs() + ms);
  }

  stop(): void {
    this.#takeBack?.();
    this.#takeBack = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }
}
