/**
 * FLUSH and FUA: answered when all that was answered before is durable at the appliance and, unless the option says that
 * the spool will do, in the source. Both at once; in rounds, each for all who asked before it began.
 *
 * What is the same as at the last round that succeeded is not asked for again: the link if nothing was added, the source
 * if nothing was written. What was durable stays so; and where the mode has changed, the appliance calls it sync only when
 * all before it is durable at the remote.
 *
 * Where an appliance came back without what it had acknowledged, or the volume went on without one, the source is the only
 * one to have some of what was replied to: durable, before the link was used again. That will do for a flush in async. In
 * sync it is promised to be at the remote, and is there when the resync has come to its end, so flushes wait for that.
 */
import type { VolumeLink } from "#src/wire/volume-link.ts";
import { syncSource } from "./completion.ts";
import { mayComeBack } from "./link-loss.ts";
import type { Outlet } from "./outlet.ts";
import type { Source } from "./source.ts";
import type { SourceWriter } from "./source-writer.ts";

/** Who waits for a flush. */
export interface Flushed {
  /** One of `nbdError`. */
  flushed(error: number): void;
}

export interface FlushRoundsParts {
  readonly outlet: Outlet;
  readonly writer: SourceWriter;
  readonly source: Source;
  readonly syncsSource: () => boolean;
  readonly failed: (error: Error) => void;
}

interface Round {
  readonly waiters: readonly Flushed[];
  readonly writtenCount: number;
  lastOrdinal: number;
  /** Whose answer it waits for. */
  link: VolumeLink | undefined;
  waitsForLink: boolean;
  /** What it covers was not all with the appliance when it began. */
  isBehind: boolean;
  neededRemote: boolean;
  waitsForSource: boolean;
}

export class FlushRounds {
  readonly #parts: FlushRoundsParts;
  #waiting: Flushed[] = [];
  #round: Round | undefined;
  #isBehind = false;
  /** They wait for the end of the resync. */
  #held: Flushed[] = [];
  /** As of the last round that succeeded. */
  #flushedOrdinal = -1;
  #syncedCount = -1;
  #endedCount = 0;

  constructor(parts: FlushRoundsParts) {
    this.#parts = parts;
  }

  /** Somebody waits. */
  get isAwaited(): boolean {
    return this.#round !== undefined || this.#waiting.length > 0 || this.#held.length > 0;
  }

  /** Grows with each round whose end was told, whatever came of it: who is held waits as before. */
  get endedCount(): number {
    return this.#endedCount;
  }

  /** All who wait do so for the end of the resync alone. */
  get isHeld(): boolean {
    return this.#held.length > 0 && this.#round === undefined && this.#waiting.length === 0;
  }

  join(waiter: Flushed): void {
    this.#waiting.push(waiter);
  }

  /** Begins a round for those who wait, if none is under way and there is a link. */
  begin(): void {
    const { outlet, writer, source, syncsSource } = this.#parts;
    const { link } = outlet;
    if (this.#waiting.length === 0 || this.#round !== undefined || link === undefined) return;
    const { writtenCount } = writer;
    const round: Round = {
      waiters: this.#waiting,
      writtenCount,
      lastOrdinal: link.lastOrdinal,
      link,
      waitsForLink: this.#isBehind || link.lastOrdinal !== this.#flushedOrdinal,
      isBehind: this.#isBehind,
      neededRemote: false,
      waitsForSource: syncsSource() && writtenCount !== this.#syncedCount,
    };
    this.#waiting = [];
    this.#round = round;
    if (round.waitsForSource) syncSource(source, (error) => this.#sourceSynced(round, error));
    if (round.waitsForLink) this.#flushLink(round, link);
    this.#endIfDone(round);
  }

  #flushLink(round: Round, link: VolumeLink): void {
    link.flush((error, neededRemote = false) => {
      if (this.#round !== round || round.link !== link || !round.waitsForLink) return;
      if (error === null) {
        round.waitsForLink = false;
        round.neededRemote = neededRemote;
        this.#endIfDone(round);
      } else if (!mayComeBack(error)) this.#parts.failed(error);
      // Otherwise the next link is asked.
    });
  }

  #sourceSynced(round: Round, error: Error | null): void {
    if (this.#round !== round) return;
    if (error !== null) return this.#parts.failed(error);
    this.#syncedCount = round.writtenCount;
    round.waitsForSource = false;
    this.#endIfDone(round);
  }

  #endIfDone(round: Round): void {
    if (this.#round !== round || round.waitsForLink || round.waitsForSource) return;
    this.#round = undefined;
    if (round.isBehind && round.neededRemote) (this.#isBehind ? this.#held : this.#waiting).push(...round.waiters);
    else {
      this.#endedCount++;
      this.#flushedOrdinal = round.lastOrdinal;
      for (const waiter of round.waiters) waiter.flushed(0);
    }
    this.begin();
  }

  /** Some of what was replied to will come to the appliance only with a resync. */
  fellBehind(): void {
    this.#isBehind = true;
  }

  /** The end of the resync is added: what is asked for from now on covers all that it brought. */
  caughtUp(): void {
    this.#isBehind = false;
    this.#waiting.push(...this.#held.splice(0));
  }

  /** There is another link: what the one before owes, this one is asked for. Everything was added to it already. */
  relinked(): void {
    const { link } = this.#parts.outlet;
    this.#flushedOrdinal = -1;
    this.#waiting.push(...this.#held.splice(0));
    const round = this.#round;
    if (round?.waitsForLink && link !== undefined) {
      round.link = link;
      round.isBehind = this.#isBehind;
      round.lastOrdinal = link.lastOrdinal;
      this.#flushLink(round, link);
    }
    this.begin();
  }

  failAll(error: number): void {
    const waiters = [...(this.#round?.waiters ?? []), ...this.#held, ...this.#waiting];
    this.#round = undefined;
    this.#endedCount++;
    this.#held = [];
    this.#waiting = [];
    for (const waiter of waiters) waiter.flushed(error);
  }
}
