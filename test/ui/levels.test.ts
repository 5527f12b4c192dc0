import { expect, test } from "vitest";
import { levelChoices, levelOf, levelWords } from "#src/ui/levels.ts";

const group = {
  volumeNames: ["disk", "log"],
  levels: [
    { volume: "log", seconds: 3600 },
    { volume: "disk", seconds: 45 },
  ],
};

test("a level is chosen of the usual ones, and the present one is among them", () => {
  expect(levelChoices(60).map(({ label }) => label)).toEqual(["every write", "10 s", "1 min", "1 h", "1 d"]);
  expect(levelChoices(45).map(({ level }) => level)).toEqual(["every-write", "10s", "45s", "1m", "1h", "1d"]);
  expect([levelOf(group, "disk"), levelOf({ volumeNames: ["disk"] }, "disk")]).toEqual([45, 0]);
});

test("a level says how many points there are, and which volumes of the group keep more", () => {
  expect(levelWords({ volumeNames: ["disk"] }, "disk")).toBe("Each write is a point.");
  expect(levelWords(group, "disk")).toBe("One point is left for each 45 s.");
  expect(levelWords(group, "log")).toBe(
    "One point is left for each 1 h; disk of its group keep closer ones, which count for all.",
  );
});
