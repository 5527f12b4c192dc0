/** The pieces of one group's history as they lie in the store: how far they reach, which follow the base, and those that go. */
import { isDeepStrictEqual } from "node:util";
import { foundPieces, piecesInForce } from "#src/journals/pieces-in-force.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { type PieceLink, type SealedPieceIdentity, sealedPieceName } from "#src/journals/sealed-piece-format.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { ObjectName } from "#src/store/objects.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { type JumpState, jumpedMicrosOf, jumpsBehind, noJumps } from "./clock-jumps.ts";
import type { HistoryDocument } from "./history-document.ts";
import type { PieceSpan, RetentionPlan, RetentionWish } from "./retention-plan.ts";
import type { SnapshotStoreParts } from "./snapshot-builder.ts";

interface KnownJumps {
  readonly before: JumpState;
  readonly after: JumpState;
}

export class GroupPieces {
  readonly #parts: SnapshotStoreParts;
  /** Of pieces that were looked at: they never change. */
  #jumps: ReadonlyMap<ObjectName, KnownJumps> = new Map();

  constructor(parts: SnapshotStoreParts) {
    this.#parts = parts;
  }

  /** Undefined: none is sealed. */
  async newest(): Promise<PieceSpan | undefined> {
    const identity = (await this.#inForce()).at(-1);
    return identity === undefined ? undefined : await this.#spanOf(identity);
  }

  /**
   * When the newest record that is sealed was made, as far as what the records' clock was put ahead by since the first of them makes
   * nothing older; 0: there is none.
   */
  async newestMicros(): Promise<number> {
    const known = new Map<ObjectName, KnownJumps>();
    let state = noJumps;
    for (const identity of await this.#inForce()) {
      const before = state;
      state = await this.#jumpsBehind(identity, before);
      known.set(sealedPieceName(identity), { before, after: state });
    }
    this.#jumps = known;
    return (state.lastMicros ?? 0) - jumpedMicrosOf(state);
  }

  async #jumpsBehind(identity: SealedPieceIdentity, before: JumpState): Promise<JumpState> {
    const known = this.#jumps.get(sealedPieceName(identity));
    if (known !== undefined && isDeepStrictEqual(known.before, before)) return known.after;
    try {
      return await jumpsBehind(await this.#open(identity), before);
    } catch (error) {
      if (error instanceof ObjectDamageError) return { ...before, isBlind: true };
      throw error;
    }
  }

  /** From where the history begins to the newest record that is sealed. */
  async spanMicros({ behind }: HistoryDocument): Promise<number> {
    const pieces = await this.#inForce();
    const oldest = pieces.find(({ firstSeq }) => firstSeq > (behind?.lastSeq ?? 0));
    const newest = pieces.at(-1);
    if (oldest === undefined || newest === undefined) return 0;
    return (await this.#spanOf(newest)).latestMicros - (await this.#spanAmong(pieces, oldest)).earliestMicros;
  }

  /** Up to the first that is to be kept, and then the newest one. */
  async oldest(wish: RetentionWish, nowMicros: number, newest: PieceSpan | undefined): Promise<PieceSpan[]> {
    if (newest === undefined) return [];
    const spans: PieceSpan[] = [];
    const pieces = await this.#inForce();
    for (const identity of pieces) {
      if (identity.firstSeq >= newest.firstSeq) break;
      const span = await this.#spanAmong(pieces, identity);
      spans.push(span);
      const isOld = wish.keepMicros !== undefined && span.latestMicros <= nowMicros - wish.keepMicros;
      if (!isOld && span.lastSeq > (wish.fromSeq ?? 0)) break;
    }
    return [...spans, newest];
  }

  /** Of the last piece that has nothing behind the seq. */
  async linkBefore(seq: number): Promise<PieceLink | undefined> {
    const pieces = await this.#inForce();
    const identity = pieces.findLast(({ firstSeq }) => firstSeq <= seq);
    if (identity === undefined) return undefined;
    try {
      const piece = await this.#open(identity);
      return piece.numbers.lastSeq <= seq ? piece.link : piece.previous;
    } catch (error) {
      const next = await this.#nextOf(pieces, identity, error);
      if (next.previous.lastSeq > seq) throw error;
      return next.previous;
    }
  }

  /** Those that count and were folded, in their order. */
  async folded(): Promise<readonly Pick<PieceSpan, "firstSeq" | "lastSeq">[]> {
    const pieces = await this.#inForce();
    return pieces.flatMap(({ firstSeq, folded }) =>
      folded === undefined ? [] : [{ firstSeq, lastSeq: folded.lastSeq }],
    );
  }

  /** The folded piece that has the record; undefined: it was not folded. */
  async foldedWith(seq: number): Promise<SealedPieceIdentity | undefined> {
    const identity = (await this.#inForce()).findLast(({ firstSeq }) => firstSeq <= seq);
    return identity?.folded !== undefined && seq <= identity.folded.lastSeq ? identity : undefined;
  }

  /** Whether a point is left behind the record, within what was folded to this piece. Undefined: damage hides it. */
  async isPointOf(identity: SealedPieceIdentity, seq: number): Promise<boolean | undefined> {
    try {
      const piece = await this.#open(identity);
      if (piece.numbers.lastSeq === seq) return true;
      for (let page = 0; page < piece.recordPageCount; page++) {
        const { lastSeq } = piece.recordPagePlace(page);
        if (lastSeq < seq) continue;
        // Records that stand together for several have the last one's seq.
        return lastSeq === seq || (await piece.recordPage(page)).records.some((record) => record.seq === seq);
      }
      return false;
    } catch (error) {
      if (error instanceof ObjectDamageError) return undefined;
      throw error;
    }
  }

  /** Those that have expired, the oldest first, with all that they took the place of. */
  async remove({ pieces }: RetentionPlan, control: WorkControl): Promise<void> {
    const { objects, group } = this.#parts;
    const { inForce, replaced } = await foundPieces(objects, group);
    const there = [...replaced, ...inForce];
    for (const [index, { firstSeq, lastSeq }] of pieces.entries()) {
      control.throwIfCancelled();
      control.progress({ done: index, total: pieces.length, unit: "pieces", what: "removes what is expired" });
      const expired = there.filter((piece) => piece.firstSeq >= firstSeq && piece.firstSeq <= lastSeq);
      for (const piece of expired) await objects.remove(sealedPieceName(piece));
    }
  }

  #inForce(): Promise<readonly SealedPieceIdentity[]> {
    return piecesInForce(this.#parts.objects, this.#parts.group);
  }

  #open(identity: SealedPieceIdentity): Promise<SealedPiece> {
    return SealedPiece.open(this.#parts.objects, identity, this.#parts.key);
  }

  /** One that is damaged comes of age too: with the first record behind it at the latest. */
  async #spanAmong(pieces: readonly SealedPieceIdentity[], identity: SealedPieceIdentity): Promise<PieceSpan> {
    try {
      return await this.#spanOf(identity);
    } catch (error) {
      const { previous, numbers } = await this.#nextOf(pieces, identity, error);
      const { firstSeq, lastSeq } = previous;
      const { earliestMicros } = numbers;
      return { firstSeq, lastSeq, earliestMicros, latestMicros: earliestMicros };
    }
  }

  /** What the piece behind a damaged one says of it. Throws the error where that is something else, or nothing is behind it. */
  async #nextOf(
    pieces: readonly SealedPieceIdentity[],
    { firstSeq }: SealedPieceIdentity,
    error: unknown,
  ): Promise<Pick<SealedPiece, "numbers"> & { readonly previous: PieceLink }> {
    const identity = pieces.find((piece) => piece.firstSeq > firstSeq);
    if (!(error instanceof ObjectDamageError) || identity === undefined) throw error;
    const { previous, numbers } = await this.#open(identity);
    if (previous?.firstSeq !== firstSeq) throw error;
    return { previous, numbers };
  }

  async #spanOf(identity: SealedPieceIdentity): Promise<PieceSpan> {
    const { numbers } = await this.#open(identity);
    const { firstSeq } = identity;
    const { lastSeq, earliestMicros, latestMicros } = numbers;
    return { firstSeq, lastSeq, earliestMicros, latestMicros };
  }
}
