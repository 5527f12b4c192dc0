/**
 * The last events, as many as there is room for: whoever was away hears what he has missed, or that he was away for too long.
 *
 * Invariant: ids grow, within one life by one; those that are kept are the last ones; at most `eventsKeptMax`, and
 * `eventsKeptBytesMax` as texts.
 */
import { eventsKeptBytesMax, eventsKeptMax } from "#src/core/http-limits.ts";
import type { EventDraft } from "./event.ts";
import type { KeptEvent } from "./event-line.ts";

type Placed = Omit<KeptEvent, "boot">;

interface ToldEvent extends Placed {
  readonly text: string;
}

export interface Missed {
  readonly events: readonly ToldEvent[];
  /** There were others, which are not kept. */
  readonly isMore: boolean;
}

/** A later start counts from a larger number on, so that no id is given twice, whatever of the earlier one got lost. */
const idsOfSecond = 1_000_000;

export class EventHistory {
  #kept: ToldEvent[] = [];
  #keptBytes = 0;
  /** Of what was told last; before anything was, where that was counted from. */
  #newestId: number;
  #nextId: number;
  /** The next one follows on that. */
  #beforeNext: number;

  /** `earlier`: of lives before this one; `mayLackSome`: behind them. */
  constructor(startWallMs: number, earlier: readonly Placed[] = [], mayLackSome = false) {
    const firstId = Math.floor(startWallMs / 1000) * idsOfSecond;
    const lastId = earlier.at(-1)?.event.id;
    this.#newestId = lastId ?? firstId;
    this.#nextId = Math.max(firstId, lastId === undefined ? 0 : lastId + idsOfSecond) + 1;
    this.#beforeNext = mayLackSome ? this.#nextId - 1 : this.#newestId;
    for (const one of earlier) this.#keep(one);
  }

  get newestId(): number {
    return this.#newestId;
  }

  /** Where somebody can go on behind. */
  get oldestId(): number {
    return this.#kept[0]?.event.id ?? this.#newestId + 1;
  }

  add({ kind, facts }: EventDraft, wallMs: number): ToldEvent {
    const event = { id: this.#nextId++, time: new Date(wallMs).toISOString(), kind, facts };
    const kept = this.#keep({ event, before: this.#beforeNext });
    this.#newestId = event.id;
    this.#beforeNext = event.id;
    return kept;
  }

  #keep({ event, before }: Placed): ToldEvent {
    const told = { event, before, text: JSON.stringify({ type: "event", ...event }) };
    this.#kept.push(told);
    this.#keptBytes += told.text.length;
    while (this.#kept.length > eventsKeptMax || this.#keptBytes > eventsKeptBytesMax) {
      this.#keptBytes -= this.#kept.shift()?.text.length ?? 0;
    }
    return told;
  }

  /** Behind `afterId`; undefined: all that is kept. */
  since(afterId: number | undefined): Missed {
    if (afterId === undefined) return { events: this.#kept, isMore: false };
    // Who has seen more than there was has listened to another life of this program.
    if (afterId > this.#newestId) return { events: this.#kept, isMore: true };
    const events = this.#kept.filter(({ event }) => event.id > afterId);
    return { events, isMore: !followsOn(afterId, events) };
  }
}

/** Whether none lacks between them. */
function followsOn(afterId: number, events: readonly Placed[]): boolean {
  let lastId = afterId;
  for (const { event, before } of events) {
    if (before !== lastId) return false;
    lastId = event.id;
  }
  return true;
}
