/** What `npm run first-use` takes from the README, and what it writes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "#test/tidy/project-files.ts";
import { readmeNeeds } from "./bare-machine.ts";
import { readmeCommands } from "./first-use.ts";
import { withFirstUse } from "./first-use-report.ts";

test("the README says what there has to be, and which commands there are", () => {
  expect(readmeNeeds()).toEqual({ npm: "11", node: "20" });
  expect(readmeCommands()).toEqual({ start: "npm start", tests: "npm test", story: "npx tidemark story" });
});

test("the times of a run take the place of those before", () => {
  const document = readFileSync(join(projectRoot, "docs/quick-start.md"), "utf8");
  const steps = [{ what: "`npm start`", seconds: 12.34 }];
  const about = {
    commit: "abc",
    date: "2026-01-02T03:04:05Z",
    processorCount: 2,
    memoryBytes: 2 ** 33,
    loadAverage: 0.26,
    isWhole: true,
    versions: "npm 11",
  };
  const once = withFirstUse(document, { ...about, steps });
  expect(once).toContain("Commit abc, on 2026-01-02, with 2 processors and 8 GiB of memory, and a load");
  expect(once).toContain("| `npm start`    |    12.3 |");
  expect(withFirstUse(once, { ...about, steps: [] })).not.toContain("12.3");
});
