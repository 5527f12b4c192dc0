/**
 * Which segments the records of a piece may point to that cannot be read: slots are given out in the order of records, segment by
 * segment, so these lie from the last one that earlier pieces point to up to the first one of later pieces. Pure.
 */

/** Records of a piece, and the segments that they point to; `firstSegment` is infinite where they point to none. */
export interface PieceSegmentsRow {
  readonly firstSeq: number;
  readonly lastSeq: number;
  firstSegment: number;
  lastSegment: number;
}

export interface SegmentRange {
  readonly first: number;
  /** Itself included. */
  readonly last: number;
}

export class PieceSegments {
  readonly #rows: PieceSegmentsRow[] = [];

  /** Of a piece that can be read: whoever reads it widens it with `sees`. */
  begin(firstSeq: number, lastSeq: number): PieceSegmentsRow {
    return { firstSeq, lastSeq, firstSegment: Number.POSITIVE_INFINITY, lastSegment: 0 };
  }

  /** It was read to its end. */
  add(row: PieceSegmentsRow): void {
    if (row.lastSegment > 0) this.#rows.push(row);
  }

  around({ firstSeq, lastSeq }: Pick<PieceSegmentsRow, "firstSeq" | "lastSeq">): SegmentRange {
    let first = 0;
    let last = Number.POSITIVE_INFINITY;
    for (const row of this.#rows) {
      if (row.lastSeq < firstSeq) first = Math.max(first, row.lastSegment);
      if (row.firstSeq > lastSeq) last = Math.min(last, row.firstSegment);
    }
    return { first, last };
  }
}

/** A row of blocks may go on in the next segment. */
export function sees(row: PieceSegmentsRow, firstSegment: number, lastSegment: number): void {
  row.firstSegment = Math.min(row.firstSegment, firstSegment);
  row.lastSegment = Math.max(row.lastSegment, lastSegment);
}
