import { expect, test } from "vitest";
import { someOf } from "#test/long-share.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { runBreak } from "./break-run.ts";
import { breaks } from "./breaks.ts";

const minutes = 60_000;

test.each(someOf(breaks))("the simulation finds it: $name", { timeout: 10 * minutes }, (one) => {
  const finding = runBreak(one, {
    project: projectRoot,
    first: one.knownSeed ?? 1,
    seedsMax: 4_000,
    failuresMax: 1,
    workers: 2,
  });
  expect(finding.found.length).toBeGreaterThan(0);
});
