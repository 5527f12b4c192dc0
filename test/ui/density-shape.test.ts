import { expect, test } from "vitest";
import { densityPath, writtenWithin } from "#src/ui/density-shape.ts";

const buckets = {
  span: { fromMs: 0, toMs: 400 },
  bytes: [0, 100, 400, 0],
  writes: [0, 1, 4, 0],
  lastSeqs: [0, 5, 9, 0],
};
const box = { span: buckets.span, width: 400, top: 10, height: 100 };

test("each bucket in which something was written is a bar, as high as the root of that", () => {
  expect(densityPath({ ...buckets, bytes: [0, 10_000, 40_000, 0] }, box)).toBe(
    "M100.0 110V60.0H199.3V110zM200.0 110V10.0H299.3V110z",
  );
});

test("a trim without bytes is seen all the same", () => {
  expect(densityPath({ ...buckets, bytes: [0, 0, 40_000, 0], writes: [0, 1, 4, 0] }, box)).toMatch(
    /^M100\.0 110V9[0-9]/,
  );
});

test("of what was asked for before, that part is drawn that is seen now", () => {
  const later = { ...box, span: { fromMs: 150, toMs: 250 } };
  expect(densityPath({ ...buckets, bytes: [40_000, 40_000, 40_000, 0] }, later)).toBe(
    "M0.0 110V10.0H199.3V110zM200.0 110V10.0H399.3V110z",
  );
});

test("where nothing was written there is nothing to draw", () => {
  expect(densityPath({ ...buckets, bytes: [0, 0, 0, 0], writes: [0, 0, 0, 0] }, box)).toBe("");
});

test("what was written between two moments is added up", () => {
  expect(writtenWithin(buckets, { fromMs: 0, toMs: 200 })).toEqual({ bytes: 100, writes: 1 });
  expect(writtenWithin(buckets, { fromMs: 150, toMs: 1000 })).toEqual({ bytes: 500, writes: 5 });
});
