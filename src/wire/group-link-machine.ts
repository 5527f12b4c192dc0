/**
 * The life of a group's link as named states: fed what happened and when, it answers what to do. It touches nothing.
 *
 *     resting ─▶ dialing ─▶ joining ─▶ up
 *                  ▲ └─────────┴───────┴─▶ waiting ─┐        stopped: from anywhere
 *                  └───────────────────────────────┘
 */
import { assert, assertNever } from "#src/core/assert.ts";
import { RefuseError, ResyncError, StopError } from "#src/core/errors.ts";
import { wireBackoffMsMax } from "#src/core/limits.ts";
import type { Randomness } from "#src/host/randomness.ts";
import { backoffMs, refusedMs } from "./backoff.ts";
import type { GroupWelcome } from "./group-link.ts";

export type LinkState =
  | { readonly name: "resting" }
  /** On the way to the other side and through the handshake. */
  | { readonly name: "dialing" }
  /** Both know who the other is; the remote has not answered yet. */
  | { readonly name: "joining" }
  | { readonly name: "up"; readonly sinceMs: number }
  | { readonly name: "waiting" }
  | { readonly name: "stopped" };

export type LinkEvent =
  | { readonly kind: "start" }
  | { readonly kind: "joined" }
  | { readonly kind: "welcomed"; readonly welcome: GroupWelcome; readonly nowMs: number }
  /** The attempt failed, or the connection is gone. */
  | { readonly kind: "lost"; readonly error: Error; readonly nowMs: number }
  | { readonly kind: "waited" }
  | { readonly kind: "stop" };

export type LinkAction =
  | { readonly kind: "dial" }
  | { readonly kind: "tellUp"; readonly welcome: GroupWelcome }
  | { readonly kind: "tellDown"; readonly why: string }
  | { readonly kind: "tellRefused"; readonly error: Error }
  /** Nobody else hears of an attempt that came to nothing. */
  | { readonly kind: "logFailure"; readonly why: string }
  | { readonly kind: "wait"; readonly delayMs: number }
  | { readonly kind: "leave" };

export class GroupLinkMachine {
  readonly #randomness: Randomness;
  #state: LinkState = { name: "resting" };
  /** In a row. A connection that stood for a while makes good for them. */
  #failureCount = 0;

  constructor(randomness: Randomness) {
    this.#randomness = randomness;
  }

  get state(): LinkState["name"] {
    return this.#state.name;
  }

  handle(event: LinkEvent): readonly LinkAction[] {
    if (this.#state.name === "stopped") return [];
    switch (event.kind) {
      case "start":
        assert(this.#state.name === "resting", "a link is started once");
        return this.#dial();
      case "joined":
        assert(this.#state.name === "dialing", "who joins was on the way");
        this.#state = { name: "joining" };
        return [];
      case "welcomed":
        assert(this.#state.name === "joining", "who is welcomed has joined");
        this.#state = { name: "up", sinceMs: event.nowMs };
        return [{ kind: "tellUp", welcome: event.welcome }];
      case "lost":
        return this.#lost(event.error, event.nowMs);
      case "waited":
        assert(this.#state.name === "waiting", "who has waited was waiting");
        return this.#dial();
      case "stop":
        this.#state = { name: "stopped" };
        return [{ kind: "leave" }];
      default:
        return assertNever(event);
    }
  }

  #dial(): readonly LinkAction[] {
    this.#state = { name: "dialing" };
    return [{ kind: "dial" }];
  }

  #lost(error: Error, nowMs: number): readonly LinkAction[] {
    const state = this.#state;
    assert(state.name === "dialing" || state.name === "joining" || state.name === "up", "what is lost was there");
    if (state.name === "up" && nowMs - state.sinceMs >= wireBackoffMsMax) this.#failureCount = 0;
    const isRefused = error instanceof RefuseError || error instanceof ResyncError || error instanceof StopError;
    const delayMs = isRefused ? refusedMs(this.#randomness) : backoffMs(this.#failureCount, this.#randomness);
    this.#failureCount++;
    this.#state = { name: "waiting" };
    // First, since whoever is told may stop the link.
    const actions: LinkAction[] = [{ kind: "wait", delayMs }];
    if (state.name === "up") actions.push({ kind: "tellDown", why: error.message });
    if (isRefused) actions.push({ kind: "tellRefused", error });
    else if (state.name !== "up") actions.push({ kind: "logFailure", why: error.message });
    return actions;
  }
}
