import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { chaosBreaks } from "#test/chaos/chaos-breaks.ts";
import { coreBreaks } from "#test/coverage/core-breaks.ts";
import { storyBreaks } from "#test/synth/story-breaks.ts";
import { projectRoot, readProject } from "#test/tidy/project-files.ts";
import { type Break, BrokenBreak, changedText } from "./break.ts";
import { breaks } from "./breaks.ts";

const change = { file: "a.ts", from: "one", to: "two" };

/** All lists of breaks, wherever they are: one that a long test alone knows would be found not to fit there, hours later. */
async function allBreaks(): Promise<readonly Break[]> {
  const files = readProject().filter(({ text }) => /^export const \w+: readonly (Core)?Break\[\] =/m.test(text));
  const modules = await Promise.all(files.map(({ path }) => import(join(projectRoot, path))));
  return [...new Set(modules.flatMap((module) => Object.values<Break | readonly Break[]>(module).flat()))];
}

test("each break still fits the code that it breaks", async () => {
  const all = await allBreaks();
  expect(breaks).toHaveLength(24);
  expect(all).toEqual(expect.arrayContaining([...breaks, ...storyBreaks, ...chaosBreaks, ...coreBreaks]));
  for (const { name, changes } of all) {
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
