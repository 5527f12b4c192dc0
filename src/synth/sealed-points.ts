/**
 * What a group's sealed pieces and snapshots say of its points: which there are, when, and of what each is made. Reads only, and
 * keeps what it has read as far as the bounds allow.
 *
 * Invariants: what is listed follows each other; where an object is gone that was listed, all is listed anew; of what a list does not
 * tell of nothing is kept, but by images that are open.
 */
import {
  pointDamageMs,
  pointListMs,
  pointOpenPiecesMax,
  pointOpenSnapshotsMax,
  pointPieceEventsMax,
} from "#src/core/point-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import { piecesInForce } from "#src/journals/pieces-in-force.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { type SealedPieceIdentity, sealedPieceName } from "#src/journals/sealed-piece-format.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { ReadableObjects } from "#src/store/objects.ts";
import { type HistoryDocument, readHistory, wholeHistory } from "./history-document.ts";
import { seqsOfSnapshots } from "./history-names.ts";
import { isKept } from "./kept-snapshots.ts";
import { LatestPromises } from "./latest-promises.ts";
import type { PagePlace } from "./page-slot.ts";
import { eventsOf, type PieceEvents } from "./piece-events.ts";
import { HeldPiece } from "./piece-layer.ts";
import type { Point } from "./point-answer.ts";
import { Snapshot } from "./snapshot.ts";
import { HeldTree } from "./tree-layer.ts";

export interface SealedPointsParts extends PagePlace {
  readonly objects: ReadableObjects;
  readonly key: Buffer | undefined;
  readonly group: string;
  readonly clock: Clock;
}

/** A snapshot with what of its trees is in memory. */
export class HeldSnapshot {
  readonly snapshot: Snapshot;
  readonly #place: PagePlace;
  readonly #trees = new Map<number, readonly HeldTree[]>();

  constructor(snapshot: Snapshot, place: PagePlace) {
    this.snapshot = snapshot;
    this.#place = place;
  }

  /** The newest first. */
  treesOf(volume: number): readonly HeldTree[] {
    const known = this.#trees.get(volume);
    if (known !== undefined) return known;
    const layers = this.snapshot.volume(volume)?.layers ?? [];
    const trees = layers.map((layer) => new HeldTree(this.#place, this.snapshot.nodes, volume, layer)).reverse();
    this.#trees.set(volume, trees);
    return trees;
  }
}

interface EventsThen {
  readonly events: PieceEvents;
  /** When they were read. */
  readonly atMs: number;
}

export class SealedPoints {
  readonly #parts: SealedPointsParts;
  #pieces: readonly SealedPieceIdentity[] = [];
  #snapshotSeqs: readonly number[] = [];
  /** Of the pieces, and of all snapshots that are there: the names by which they are kept. */
  #names: ReadonlySet<string> = new Set();
  #history: HistoryDocument = wholeHistory;
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #foldings = 0;
  #lastSeq = 0;
  readonly #held = new LatestPromises<HeldPiece>(pointOpenPiecesMax);
  readonly #events = new LatestPromises<EventsThen>(pointPieceEventsMax);
  readonly #snapshots = new LatestPromises<HeldSnapshot>(pointOpenSnapshotsMax);

  constructor(parts: SealedPointsParts) {
    this.#parts = parts;
  }

  /** Of the newest piece; 0: there is none. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  get history(): HistoryDocument {
    return this.#history;
  }

  /** Grows where other pieces have taken the place of some: points may be none any more. */
  get foldings(): number {
    return this.#foldings;
  }

  /** That are points, in their order. */
  get snapshotSeqs(): readonly number[] {
    return this.#snapshotSeqs;
  }

  /** Those behind the base, in their order. */
  get pieces(): readonly SealedPieceIdentity[] {
    return this.#pieces;
  }

  /** Pieces and snapshots that are kept open, and pieces of which their events are. */
  get heldCount(): number {
    return this.#held.count + this.#snapshots.count + this.#events.count;
  }

  /** Whether the last list told of this piece. */
  hasPiece(name: string): boolean {
    return this.#names.has(name);
  }

  /** Looks what is there, unless it has just been looked. */
  async list(isForced: boolean): Promise<void> {
    const { objects, group, clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (!isForced && nowMs - this.#listedAtMs < pointListMs) return;
    // What the document speaks of is there longer than what it does not.
    const { document } = await readHistory(objects, group);
    const behindSeq = document.behind?.lastSeq ?? 0;
    const pieces = (await piecesInForce(objects, group)).filter(({ firstSeq }) => firstSeq > behindSeq);
    const seqs = await seqsOfSnapshots(objects, group);
    const newest = pieces.at(-1);
    // Before anything is changed: where it cannot be told now, it is looked for the next time.
    const lastSeq = newest === undefined ? 0 : await this.#endOfNewest(newest);
    this.#history = document;
    this.#snapshotSeqs = seqs.filter((seq) => isKept(document, seq));
    if (!isContinued(this.#pieces, pieces)) this.#foldings++;
    this.#pieces = pieces;
    this.#lastSeq = lastSeq;
    this.#listedAtMs = nowMs;
    this.#letGo(new Set([...pieces.map(sealedPieceName), ...seqs.map(String)]));
  }

  /** Of what is not there nobody asks any more, and there is ever more of that. */
  #letGo(names: ReadonlySet<string>): void {
    const isLess = this.#names.difference(names).size > 0;
    this.#names = names;
    for (const kept of [this.#held, this.#events, this.#snapshots]) kept.keepOnly((name) => names.has(name));
    // Once: images that are open may read on in what is there all the same.
    if (isLess) this.#parts.pages.dropGone();
  }

  /** Of what has this name. */
  #placeOf(name: string): PagePlace {
    const { pages, clock } = this.#parts;
    return { pages, clock, isGone: () => !this.#names.has(name) };
  }

  /** Where its end cannot be read, its own first record is all that is known, until it was repaired. */
  async #endOfNewest(identity: SealedPieceIdentity): Promise<number> {
    const isKnown = this.#pieces.at(-1)?.firstSeq === identity.firstSeq && this.#lastSeq > identity.firstSeq;
    if (isKnown) return this.#lastSeq;
    const held = await this.held(identity);
    return held instanceof ObjectDamageError ? identity.firstSeq : held.piece.numbers.lastSeq;
  }

  /** One that is damaged is told as its error. */
  async held(identity: SealedPieceIdentity): Promise<HeldPiece | ObjectDamageError> {
    const { objects, key } = this.#parts;
    const name = sealedPieceName(identity);
    return await orDamage(
      this.#held.get(
        name,
        async () => new HeldPiece(await SealedPiece.open(objects, identity, key), this.#placeOf(name)),
      ),
    );
  }

  /** What is damaged is looked at again after a while: it may have been repaired. */
  async events(identity: SealedPieceIdentity): Promise<PieceEvents> {
    const name = sealedPieceName(identity);
    const { events, atMs } = await this.#eventsOf(identity, name);
    const isOld = this.#parts.clock.monotonicMs() - atMs > pointDamageMs;
    if (events.damaged.length === 0 || !isOld) return events;
    this.#events.drop(name);
    return (await this.#eventsOf(identity, name)).events;
  }

  #eventsOf(identity: SealedPieceIdentity, name: string): Promise<EventsThen> {
    return this.#events.get(name, async () => {
      const held = await this.held(identity);
      const events = held instanceof ObjectDamageError ? this.#noEvents(identity, held) : await eventsOf(held.piece);
      return { events, atMs: this.#parts.clock.monotonicMs() };
    });
  }

  /** What was read of it before it was damaged tells of no damage. */
  async #sawDamage(identity: SealedPieceIdentity): Promise<void> {
    const name = sealedPieceName(identity);
    if ((await this.#eventsOf(identity, name)).events.damaged.length === 0) this.#events.drop(name);
  }

  #noEvents(identity: SealedPieceIdentity, { message: finding }: ObjectDamageError): PieceEvents {
    const damage = { firstSeq: identity.firstSeq, lastSeq: this.#endOf(identity), finding };
    return { records: [], hasAggregates: false, damaged: [damage] };
  }

  /** Of a piece whose own word is not to be had. */
  #endOf({ firstSeq, folded }: SealedPieceIdentity): number {
    const next = this.#pieces.find((piece) => piece.firstSeq > firstSeq);
    return folded?.lastSeq ?? (next === undefined ? this.#lastSeq : next.firstSeq - 1);
  }

  async snapshot(seq: number): Promise<HeldSnapshot | ObjectDamageError> {
    const { objects, group, key } = this.#parts;
    const name = String(seq);
    return await orDamage(
      this.#snapshots.get(
        name,
        async () => new HeldSnapshot(await Snapshot.open(objects, { group, seq }, key), this.#placeOf(name)),
      ),
    );
  }

  /** The next who lists looks what is there. */
  forgetList(): void {
    this.#listedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Where an object is gone, all that was opened may be of before. */
  forget(): void {
    this.#held.clear();
    this.#snapshots.clear();
    this.forgetList();
  }

  /** The last that begins at or before the seq; -1: there is none. */
  indexOf(seq: number): number {
    return this.#pieces.findLastIndex(({ firstSeq }) => firstSeq <= seq);
  }

  // Points. Of records that are damaged those are known with which a page ends.

  async pointUpTo(seq: number): Promise<Point | undefined> {
    return await this.#backward(this.indexOf(seq), seq, (point) => point.seq <= seq);
  }

  async pointBehind(seq: number): Promise<Point | undefined> {
    for (const identity of this.#pieces.slice(Math.max(0, this.indexOf(seq)))) {
      const held = await this.held(identity);
      if (held instanceof ObjectDamageError || held.piece.numbers.lastSeq <= seq) continue;
      for (let page = 0; page < held.piece.recordPageCount; page++) {
        if (held.piece.recordPagePlace(page).lastSeq <= seq) continue;
        const found = (await this.#pointsOf(identity, held, page)).find((point) => point.seq > seq);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /** The last that was made then or before. */
  async pointAt(timeMicros: number): Promise<Point | undefined> {
    let [low, high] = [0, this.#pieces.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((await this.#earliestOf(middle)) > timeMicros) high = middle;
      else low = middle + 1;
    }
    const last = this.#pieces[low - 1];
    if (last === undefined) return undefined;
    return await this.#backward(low - 1, this.#endOf(last), (point) => point.timeMicros <= timeMicros);
  }

  async #earliestOf(index: number): Promise<number> {
    for (const identity of this.#pieces.slice(index)) {
      const held = await this.held(identity);
      if (!(held instanceof ObjectDamageError)) return held.piece.numbers.earliestMicros;
    }
    return Number.POSITIVE_INFINITY;
  }

  async #backward(fromIndex: number, seq: number, isWanted: (point: Point) => boolean): Promise<Point | undefined> {
    for (const identity of this.#pieces.slice(0, fromIndex + 1).reverse()) {
      const held = await this.held(identity);
      if (held instanceof ObjectDamageError) continue;
      for (let page = held.piece.recordPageCount - 1; page >= 0; page--) {
        if (held.piece.recordPagePlace(page).firstSeq > seq) continue;
        const { lastSeq, timeMicros } = held.piece.recordPagePlace(page);
        const last = { seq: lastSeq, timeMicros };
        const found = isWanted(last) ? last : (await this.#pointsOf(identity, held, page)).findLast(isWanted);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /** Entries that stand together for several records have the last one's seq: all are one point. */
  async #pointsOf(identity: SealedPieceIdentity, { piece }: HeldPiece, page: number): Promise<readonly Point[]> {
    try {
      return (await piece.recordPage(page)).records.map(({ seq, timeMicros }) => ({ seq, timeMicros }));
    } catch (error) {
      if (!(error instanceof ObjectDamageError)) throw error;
      await this.#sawDamage(identity);
      const { lastSeq, timeMicros } = piece.recordPagePlace(page);
      return [{ seq: lastSeq, timeMicros }];
    }
  }
}

/** Whether those that are there no more are the oldest, and new ones the newest. */
function isContinued(before: readonly SealedPieceIdentity[], now: readonly SealedPieceIdentity[]): boolean {
  const names = new Set(now.map(sealedPieceName));
  const first = before.findIndex((piece) => names.has(sealedPieceName(piece)));
  if (first < 0) return before.length === 0;
  const kept = before.slice(first).map(sealedPieceName);
  return kept.every((name, index) => now[index] !== undefined && sealedPieceName(now[index]) === name);
}

async function orDamage<Result>(work: Promise<Result>): Promise<Result | ObjectDamageError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ObjectDamageError) return error;
    throw error;
  }
}
