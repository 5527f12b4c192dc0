import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "#test/tidy/project-files.ts";
import { BrokenBreak, changedText } from "./break.ts";
import { breaks } from "./breaks.ts";

const change = { file: "a.ts", from: "one", to: "two" };

test("each break still fits the code that it breaks", () => {
  expect(breaks).toHaveLength(24);
  for (const { name, changes } of breaks) {
    for (const one of changes) {
      const text = readFileSync(join(projectRoot, one.file), "utf8");
      expect([name, changedText(text, one) === text]).toEqual([name, false]);
    }
  }
});

test("one that does not fit is a failure, not a break that nothing finds", () => {
  expect(changedText("one, three", change)).toBe("two, three");
  expect(() => changedText("three", change)).toThrow(BrokenBreak);
  expect(() => changedText("one, one", change)).toThrow(BrokenBreak);
});
