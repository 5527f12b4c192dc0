import { expect, test } from "vitest";
import { replaceSection, table, wrapped } from "./markdown.ts";

test("a table lines up as text", () => {
  const text = table(
    ["Case", "rate"],
    [
      ["write", "1.5 k"],
      ["a long read", "20 k"],
    ],
  );
  expect(text.split("\n")).toEqual([
    "| Case        |  rate |",
    "| ----------- | ----: |",
    "| write       | 1.5 k |",
    "| a long read |  20 k |",
  ]);
});

const document = [
  "# Title",
  "By hand.",
  "<!-- nbd: written by `npm run bench`, not by hand -->",
  "old",
  "<!-- end of nbd -->",
  "By hand too.",
].join("\n");

test("a section is replaced, and what people wrote around it stays", () => {
  const replaced = replaceSection(document, "nbd", "new\n");
  expect(replaced).toBe(document.replace("old", "\nnew\n"));
});

test("replacing a section by the same text changes nothing", () => {
  const once = replaceSection(document, "nbd", "new");
  expect(replaceSection(once, "nbd", "new")).toBe(once);
});

test("a document without the section is refused", () => {
  expect(() => replaceSection(document, "path", "new")).toThrow("no section");
});

test("words go on in a new line where there is no room for them", () => {
  expect(wrapped("one two three", 7)).toBe("one two\nthree");
  expect(wrapped("endless", 3)).toBe("endless");
});
