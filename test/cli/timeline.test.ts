/** What `tidemark timeline` makes of a report. */
import { expect, test } from "vitest";
import { timelineText } from "#src/cli/timeline.ts";
import type { TimelineReport } from "#src/control/volume-history.ts";
import { recordTimeText } from "#src/core/record-time.ts";

const nothing = {
  volume: "disk",
  ranges: [],
  events: [],
  marks: [],
  snapshots: [],
  drills: [],
  damaged: [],
  cut: false,
};

test("since when a resync makes up for what was not protected is told as exactly as all other times", () => {
  const sinceMicros = 1_767_225_600_123_456;
  const time = recordTimeText(sinceMicros + 1_000_001);
  const events = [{ seq: 7, time, type: "resyncBegin", says: { sinceMicros } }] as const;
  const text = timelineText({ ...nothing, events } as unknown as TimelineReport);
  expect(text).toContain("written without protection since 2026-01-01T00:00:00.123456Z\n");
  expect(text).toContain("2026-01-01T00:00:01.123457Z");
});

test("a mark at which the volume has no point is told as such", () => {
  const time = recordTimeText(1_767_225_600_000_000);
  const mark = { time, quiesced: true };
  const marks = [
    { ...mark, seq: 7, name: "noon", point: true },
    { ...mark, seq: 9, name: "night", point: false },
  ];
  const text = timelineText({ ...nothing, marks } as unknown as TimelineReport);
  expect(text).toContain("mark noon, with applications at rest\n");
  expect(text).toContain("mark night, with applications at rest, no point\n");
});
