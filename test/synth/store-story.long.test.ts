import { expect, test } from "vitest";
import { shareOf, someOf } from "#test/long-share.ts";
import { runBroken } from "#test/sites/breaks/break-run.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { storyBreaks } from "./story-breaks.ts";
import { runStories } from "./story-run.ts";

const minutes = 60_000;

test("other stories of a store keep every point too", async () => {
  expect((await runStories(1_001, shareOf(60))).failures).toEqual([]);
});

test.each(someOf(storyBreaks).map((one) => [one.name, one] as const))(
  "the stories find it: %s",
  { timeout: 20 * minutes },
  (_, break_) => {
    const { failures } = runBroken(break_, projectRoot, "test/synth/story-run.ts", ["1", "150", "1"]);
    expect(failures.length).toBe(1);
  },
);
