import { expect, test } from "vitest";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import type { OpenTail } from "#src/synth/open-tail.ts";
import type { SealedPoints } from "#src/synth/sealed-points.ts";
import { gapBeginOf, gapEndBehind } from "#src/synth/unprotected-time.ts";

const volume = 1;

function record(seq: number, type: number, timeMicros: number, extra: object = {}): JournalRecord {
  return { seq, type, volume, timeMicros, extra: encodeExtra(extra) } as unknown as JournalRecord;
}

/** The copy of a volume that went on alone from then on. */
function copy(seq: number, timeMicros: number, sinceMicros?: number): JournalRecord {
  return record(seq, recordType.resyncBegin, timeMicros, sinceMicros === undefined ? {} : { sinceMicros });
}

/** Nothing is sealed. */
function historyOf(...events: readonly JournalRecord[]) {
  const tail = { chunks: [{ lastSeq: events.at(-1)?.seq ?? 0, summary: { events } }] } as unknown as OpenTail;
  return { sealed: { lastSeq: 0 } as SealedPoints, tail };
}

test("a gap begins when the record says so, if that was before the record came", () => {
  expect(gapBeginOf(copy(5, 100, 40))).toBe(40);
  expect(gapBeginOf(copy(5, 100, 99))).toBe(99);
  expect(gapBeginOf(copy(5, 100, 100))).toBeUndefined();
  expect(gapBeginOf(copy(5, 100, 140))).toBeUndefined();
  expect(gapBeginOf(copy(5, 100))).toBeUndefined();
  expect(gapBeginOf(record(5, recordType.resyncEnd, 100, { sinceMicros: 40 }))).toBeUndefined();
});

test("a moment lies in a gap from the moment behind its begin on, and not before", async () => {
  const end = copy(5, 100, 40);
  const endBehind = (timeMicros: number) => gapEndBehind(historyOf(end), volume, { seq: 2, timeMicros });
  expect(await endBehind(41)).toBe(end);
  expect(await endBehind(99)).toBe(end);
  expect(await endBehind(40)).toBeUndefined();
  expect(await endBehind(39)).toBeUndefined();
});

test("a write of the volume comes before a copy: until then it was protected", async () => {
  const history = historyOf(record(3, recordType.write, 60), copy(5, 100, 40));
  expect(await gapEndBehind(history, volume, { seq: 2, timeMicros: 50 })).toBeUndefined();
  expect(await gapEndBehind(history, volume, { seq: 3, timeMicros: 50 })).toMatchObject({ seq: 5 });
  expect(await gapEndBehind(history, volume + 1, { seq: 3, timeMicros: 50 })).toBeUndefined();
  expect(await gapEndBehind(history, volume, { seq: 5, timeMicros: 50 })).toBeUndefined();
});
