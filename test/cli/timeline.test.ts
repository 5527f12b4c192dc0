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
