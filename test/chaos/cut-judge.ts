/**
 * Whether what a point of a volume holds is a cut through its writes: a state in which its host could have left it at one moment.
 * Where a write is there, so is each that was answered before it was handed over, and a write is there with all of its blocks or
 * with none. It needs no numbers of the product's, and so no journal: only what the host knows.
 *
 * Where zeros are found several writings may have left them. Of these the least is taken that agrees with the rest, until nothing
 * changes any more: so whoever is complained about has no way out.
 */
import { readStamp, stampedBytes } from "#test/oracle/block-stamp.ts";
import type { WriteHistory, Writing } from "#test/oracle/write-history.ts";

export interface CutBounds {
  /** An event of the history: what was answered by then must be there. */
  readonly answeredBy?: number | undefined;
  /** What was handed over after this one must not. */
  readonly issuedBy?: number | undefined;
}

const complaintsMax = 5;
const untouched = -1;
const undecided = -2;

/** What was found in a block: places in the row of its writings, the least first. */
interface Found {
  readonly block: number;
  readonly row: readonly Writing[];
  readonly candidates: readonly number[];
  chosen: number;
  /** Another block has shown that this writing is there. */
  least: number;
}

export class CutJudge {
  readonly #history: WriteHistory;
  readonly #rows: Writing[][];
  #taken = 0;

  constructor(history: WriteHistory) {
    this.#history = history;
    this.#rows = Array.from({ length: history.blockCount }, () => []);
  }

  /** What is wrong with a whole image of the volume, in words. */
  judge(image: Buffer, bounds: CutBounds = {}): string[] {
    this.#take();
    const all: Found[] = [];
    const complaints: string[] = [];
    for (let block = 0; block < this.#rows.length; block++) {
      const found = this.#found(block, image);
      if (typeof found === "string") complaints.push(found);
      else all.push(found);
    }
    const judged = complaints.length > 0 ? complaints : new Cut(all, bounds).complaints();
    return judged.slice(0, complaintsMax);
  }

  #take(): void {
    for (; this.#taken < this.#history.count; this.#taken++) {
      const writing = this.#history.writing(this.#taken + 1);
      for (let index = 0; index < writing.blockCount; index++) this.#rows[writing.startBlock + index]?.push(writing);
    }
  }

  #found(block: number, image: Buffer): Found | string {
    const row = this.#rows[block] as Writing[];
    const stamp = readStamp(image, block * stampedBytes);
    const found = { block, row, chosen: undecided, least: untouched };
    if (stamp === "zeros")
      return { ...found, candidates: [untouched, ...placesOf(row, ({ kind }) => kind !== "write")] };
    if (stamp === "damaged") return `block ${block} holds what nobody wrote`;
    const isHere = stamp.volume === this.#history.volume && stamp.block === block;
    const place = isHere ? row.findIndex(({ number, kind }) => number === stamp.number && kind === "write") : -1;
    if (place >= 0) return { ...found, candidates: [place, ...trimsBehind(row, place)] };
    return `block ${block} holds writing ${stamp.number} of block ${stamp.block} of volume ${stamp.volume}`;
  }
}

function placesOf(row: readonly Writing[], isWanted: (writing: Writing) => boolean): number[] {
  return row.flatMap((writing, place) => (isWanted(writing) ? [place] : []));
}

/** A trim is advice: what was before it may stay. */
function trimsBehind(row: readonly Writing[], place: number): number[] {
  const places: number[] = [];
  for (let next = place + 1; row[next]?.kind === "trim"; next++) places.push(next);
  return places;
}

class Cut {
  readonly #all: readonly Found[];
  readonly #ofBlock: ReadonlyMap<number, Found>;
  readonly #bounds: CutBounds;
  /** When the latest writing that is there was handed over. */
  #latest = 0;

  constructor(all: readonly Found[], bounds: CutBounds) {
    this.#all = all;
    this.#ofBlock = new Map(all.map((found) => [found.block, found]));
    this.#bounds = bounds;
  }

  complaints(): string[] {
    for (let hasChanged = true; hasChanged; ) {
      hasChanged = false;
      for (const found of this.#all) {
        const before = found.chosen;
        const complaint = this.#choose(found);
        if (complaint !== undefined) return [complaint];
        if (found.chosen !== before) hasChanged = true;
      }
    }
    const { issuedBy = Number.POSITIVE_INFINITY } = this.#bounds;
    return this.#all.flatMap(({ block, row, chosen }) => {
      const writing = row[chosen];
      if (writing === undefined || writing.issued <= issuedBy) return [];
      return [`block ${block}: writing ${writing.number} is there, and was handed over later`];
    });
  }

  #choose(found: Found): string | undefined {
    const { block, row, candidates, least } = found;
    const chosen = candidates.find((place) => place >= least && this.#missedBehind(row, place) === undefined);
    if (chosen === undefined) return this.#misfit(found);
    if (chosen === found.chosen) return undefined;
    found.chosen = chosen;
    const writing = row[chosen];
    if (writing === undefined) return undefined;
    this.#latest = Math.max(this.#latest, writing.issued);
    // One that was never answered may have been cut short while the volume went on unprotected.
    if (writing.replied !== undefined) this.#bringAlong(writing, block);
    return undefined;
  }

  /** With a block of a writing all others of it are there. */
  #bringAlong({ number, startBlock, blockCount }: Writing, but: number): void {
    for (let block = startBlock; block < startBlock + blockCount; block++) {
      const other = block === but ? undefined : this.#ofBlock.get(block);
      if (other === undefined) continue;
      const place = other.row.findIndex((writing) => writing.number === number);
      other.least = Math.max(other.least, place);
    }
  }

  /** A later writing of this block that must be there as well. */
  #missedBehind(row: readonly Writing[], place: number): Writing | undefined {
    const next = row.find(({ replied }, at) => at > place && replied !== undefined);
    const repliedAt = next?.replied ?? Number.POSITIVE_INFINITY;
    return repliedAt < this.#latest || repliedAt <= (this.#bounds.answeredBy ?? 0) ? next : undefined;
  }

  #misfit({ block, row, candidates, least }: Found): string {
    const last = candidates.at(-1) ?? untouched;
    const found = row[last]?.number ?? 0;
    if (last < least) {
      return `block ${block} holds writing ${found}, and writing ${row[least]?.number} is there in other blocks`;
    }
    const missed = this.#missedBehind(row, last);
    const why =
      (missed?.replied ?? 0) < this.#latest ? "one that was handed over after its answer is there" : "was promised";
    return `block ${block} holds writing ${found}; writing ${missed?.number} is missing, and ${why}`;
  }
}
