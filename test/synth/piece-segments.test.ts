import { expect, test } from "vitest";
import { PieceSegments, sees } from "#src/synth/piece-segments.ts";

/** Pieces of ten records each. */
function read(...rows: readonly (readonly [piece: number, first: number, last: number])[]): PieceSegments {
  const segments = new PieceSegments();
  for (const [piece, first, last] of rows) {
    const row = segments.begin(10 * piece + 1, 10 * piece + 10);
    if (last > 0) sees(row, first, last);
    segments.add(row);
  }
  return segments;
}

const around = (segments: PieceSegments, from: number, to = from) =>
  segments.around({ firstSeq: 10 * from + 1, lastSeq: 10 * to + 10 });

test("what cannot be read points between what the pieces beside it point to", () => {
  const segments = read([0, 3, 5], [2, 7, 9], [3, 9, 12]);
  expect(around(segments, 1)).toEqual({ first: 5, last: 7 });
  expect(around(segments, 1, 2)).toEqual({ first: 5, last: 9 });
});

test("a piece that points nowhere says nothing", () => {
  expect(around(read([0, 3, 5], [1, 0, 0], [3, 0, 0], [4, 8, 8]), 2)).toEqual({ first: 5, last: 8 });
});

test("where nothing lies on one side of it, it may point to anything there", () => {
  expect(around(read([2, 7, 9]), 1)).toEqual({ first: 0, last: 7 });
  expect(around(read([0, 3, 5]), 1)).toEqual({ first: 5, last: Number.POSITIVE_INFINITY });
});

test("the one that took its place says nothing of where it ends", () => {
  const segments = read([0, 3, 5], [4, 20, 21]);
  const folded = segments.begin(11, 40);
  sees(folded, 8, 18);
  segments.add(folded);
  expect(around(segments, 1)).toEqual({ first: 5, last: 20 });
  expect(around(segments, 2)).toEqual({ first: 5, last: 20 });
});

test("what is seen widens the row, and a row of blocks may go on in the next segment", () => {
  const segments = new PieceSegments();
  const row = segments.begin(11, 20);
  for (const [first, last] of [
    [5, 5],
    [4, 4],
    [5, 6],
  ] as const) {
    sees(row, first, last);
  }
  segments.add(row);
  expect(around(segments, 0)).toEqual({ first: 0, last: 4 });
  expect(around(segments, 2)).toEqual({ first: 6, last: Number.POSITIVE_INFINITY });
});
