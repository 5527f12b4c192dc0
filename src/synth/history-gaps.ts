/**
 * Where records are missing between what a point is made of: each piece says which one it was sealed behind, so one that is gone, or
 * was exchanged, shows in the one behind it. Nobody vouches for the newest piece but the open journal, which says where it begins.
 *
 * Invariant: a gap is told when it was there in two lists: objects may go, and others come in their place, while they are listed.
 */
import { RetryError } from "#src/core/errors.ts";
import { pointPieceEventsMax } from "#src/core/point-limits.ts";
import { chainFinding } from "#src/journals/sealed-piece-chain.ts";
import { type PieceLink, type SealedPieceIdentity, sealedPieceName } from "#src/journals/sealed-piece-format.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { LatestPromises } from "./latest-promises.ts";
import type { OpenTail } from "./open-tail.ts";
import type { DamagedRecords } from "./piece-events.ts";
import type { SealedPoints } from "./sealed-points.ts";

/** Records that are lost: what they wrote nobody knows. */
export interface HistoryGap extends DamagedRecords {
  /** Of the first record behind that is there. */
  readonly nextSeq: number;
  /** What is not sealed yet lies behind it. */
  readonly isBeforeTail: boolean;
}

/** What is known before the first piece. */
export interface ChainStart {
  /** Records up to there are known. */
  readonly seq: number;
  /** The last piece that was looked at for them; undefined: there is none. */
  readonly link: PieceLink | undefined;
}

export interface GapsWanted {
  /** Undefined: what is before the first piece does not matter. */
  readonly start: ChainStart | undefined;
  /** That follow each other in the list. */
  readonly pieces: readonly SealedPieceIdentity[];
  /** Whether what is not sealed yet counts. */
  readonly isWithTail: boolean;
}

type GapEnd = Pick<HistoryGap, "nextSeq" | "isBeforeTail">;

interface PieceBefore {
  readonly name: string;
  /** Undefined: damage leaves it unknown. */
  readonly start: ChainStart | undefined;
  readonly firstSeq: number;
}

export class HistoryGaps {
  readonly #sealed: SealedPoints;
  readonly #tail: OpenTail;
  readonly #ends = new LatestPromises<ChainStart>(pointPieceEventsMax);
  readonly #findings = new LatestPromises<string | undefined>(pointPieceEventsMax);
  /** Places of gaps that were there in a list before. */
  readonly #known = new Set<string>();
  /** Of which the rest is. */
  #listed: readonly SealedPieceIdentity[] = [];

  constructor(sealed: SealedPoints, tail: OpenTail) {
    this.#sealed = sealed;
    this.#tail = tail;
  }

  /** With what the history begins. */
  get historyStart(): ChainStart {
    const { behind } = this.#sealed.history;
    return { seq: behind?.lastSeq ?? 0, link: behind };
  }

  /** Of all that there is. Rejects as `find` does. */
  ofWhole(): Promise<readonly HistoryGap[]> {
    return this.find({ start: this.historyStart, pieces: this.#sealed.pieces, isWithTail: true });
  }

  /** In their order. Rejects with a `RetryError` where one is seen for the first time: list anew, and ask again. */
  async find({ start, pieces, isWithTail }: GapsWanted): Promise<readonly HistoryGap[]> {
    this.#letGo();
    const gaps: HistoryGap[] = [];
    let isNew = false;
    const startName = `${start?.seq} ${start?.link?.hash.toString("hex")}`;
    let before: PieceBefore = { name: startName, start, firstSeq: (start?.seq ?? 0) + 1 };
    for (const identity of pieces) {
      const name = sealedPieceName(identity);
      const place = `${before.name} ${name}`;
      const { start: known } = before;
      const finding = await unlessDamaged(this.#findings.get(place, () => this.#findingOf(known, identity)));
      if (finding !== undefined) {
        isNew ||= !this.#known.has(place);
        this.#known.add(place);
        const why = `${name} does not follow what was before: ${finding}`;
        gaps.push(this.#gap(before, { nextSeq: identity.firstSeq, isBeforeTail: false }, why));
      }
      before = { name, start: await unlessDamaged(this.#endOf(identity, name)), firstSeq: identity.firstSeq };
    }
    if (isNew) throw new RetryError(`pieces of group ${pieces[0]?.group} are missing: what is there is listed anew`);
    const tailGap = isWithTail ? this.#tailGap(before) : undefined;
    return tailGap === undefined ? gaps : [...gaps, tailGap];
  }

  /** Of pieces that are there no more nobody asks. */
  #letGo(): void {
    if (this.#listed === this.#sealed.pieces) return;
    this.#listed = this.#sealed.pieces;
    this.#ends.keepOnly((name) => this.#sealed.hasPiece(name));
    // A place is of two pieces, or of what is before the first and that one.
    this.#findings.keepOnly((place) => this.#sealed.hasPiece(place.slice(place.lastIndexOf(" ") + 1)));
  }

  /** Kept apart from the piece, which need not stay open for it. */
  #endOf(identity: SealedPieceIdentity, name: string): Promise<ChainStart> {
    return this.#ends.get(name, async () => {
      const held = await this.#sealed.held(identity);
      if (held instanceof ObjectDamageError) throw held;
      return { seq: held.piece.numbers.lastSeq, link: held.piece.link };
    });
  }

  async #findingOf(start: ChainStart | undefined, identity: SealedPieceIdentity): Promise<string | undefined> {
    if (start === undefined) return undefined;
    const held = await this.#sealed.held(identity);
    if (held instanceof ObjectDamageError) throw held;
    const { seq, link } = start;
    if (link !== undefined && held.piece.standsFor(link)) return undefined;
    // A snapshot may be of the midst of a piece, the end of which is needed then.
    if (link !== undefined && link.lastSeq > seq) {
      return `the end of the one of the records ${link.firstSeq} to ${link.lastSeq} is missing`;
    }
    return chainFinding(link, held.piece);
  }

  /** What is sealed may have gone from the journal; what has gone from there has to be sealed. */
  #tailGap(before: PieceBefore): HistoryGap | undefined {
    const { beginSeq } = this.#tail;
    if (before.start === undefined || beginSeq === undefined || beginSeq <= before.start.seq + 1) return undefined;
    return this.#gap(before, { nextSeq: beginSeq, isBeforeTail: true }, `the journal goes on with record ${beginSeq}`);
  }

  /** One that was exchanged is no better than one that is gone. */
  #gap({ start, firstSeq: beforeSeq }: PieceBefore, next: GapEnd, why: string): HistoryGap {
    const { nextSeq } = next;
    const behindSeq = (start?.seq ?? 0) + 1;
    const firstSeq = behindSeq < nextSeq ? behindSeq : Math.min(beforeSeq, nextSeq - 1);
    const lastSeq = nextSeq - 1;
    const healedBy = this.#sealed.snapshotSeqs.find((seq) => seq >= lastSeq);
    const until = healedBy === undefined ? "" : ` up to snapshot ${healedBy}`;
    return { firstSeq, lastSeq, ...next, finding: `lost, and points behind are spoiled${until}: ${why}` };
  }
}

/** Where one of the two is damaged they are told as that, and looked at again when it may have been repaired. */
async function unlessDamaged<Found>(work: Promise<Found>): Promise<Found | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ObjectDamageError) return undefined;
    throw error;
  }
}
