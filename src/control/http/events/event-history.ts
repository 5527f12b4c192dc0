/**
 * The last events, as many as there is room for: whoever was away hears what he has missed, or that he was away for too long.
 *
 * Invariant: ids grow by one; those that are kept are the last ones; at most `eventsKeptMax`, and `eventsKeptBytesMax` as texts.
 */
import { eventsKeptBytesMax, eventsKeptMax } from "#src/core/http-limits.ts";
import type { ApiEvent, EventDraft } from "./event.ts";

interface KeptEvent {
  readonly event: ApiEvent;
  readonly text: string;
}

export interface Missed {
  readonly events: readonly KeptEvent[];
  /** There were others before, which are not kept any more. */
  readonly isMore: boolean;
}

/** A later start counts from a larger number on, unless the clock went back: then what was seen is larger than all there is. */
const idsOfSecond = 1_000_000;

export class EventHistory {
  #kept: KeptEvent[] = [];
  #keptBytes = 0;
  #lastId: number;

  constructor(startWallMs: number) {
    this.#lastId = Math.floor(startWallMs / 1000) * idsOfSecond;
  }

  get newestId(): number {
    return this.#lastId;
  }

  /** Where somebody can go on behind. */
  get oldestId(): number {
    return this.#lastId - this.#kept.length + 1;
  }

  add({ kind, facts }: EventDraft, wallMs: number): KeptEvent {
    const event = { id: ++this.#lastId, time: new Date(wallMs).toISOString(), kind, facts };
    const kept = { event, text: JSON.stringify({ type: "event", ...event }) };
    this.#kept.push(kept);
    this.#keptBytes += kept.text.length;
    while (this.#kept.length > eventsKeptMax || this.#keptBytes > eventsKeptBytesMax) {
      this.#keptBytes -= this.#kept.shift()?.text.length ?? 0;
    }
    return kept;
  }

  /** Behind `afterId`; undefined: all that is kept. */
  since(afterId: number | undefined): Missed {
    if (afterId === undefined) return { events: this.#kept, isMore: false };
    // Who has seen more than there was has listened to another life of this program.
    if (afterId > this.#lastId || afterId < this.oldestId - 1) return { events: this.#kept, isMore: true };
    return { events: this.#kept.slice(afterId - this.oldestId + 1), isMore: false };
  }
}
