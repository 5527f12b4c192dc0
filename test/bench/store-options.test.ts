import { expect, test } from "vitest";
import { parseStoreOptions } from "./store-options.ts";
import { storeCaseNames } from "./store-results.ts";

test("without options all is measured, and may be published", () => {
  const options = parseStoreOptions([]);
  expect(options.cases).toEqual([...storeCaseNames]);
  expect(options.peers).toEqual(["restic", "borg", "casync"]);
  expect(options.isPublished).toBe(true);
});

test("a run of some cases is published when it is told to", () => {
  expect(parseStoreOptions(["--cases", "image"]).isPublished).toBe(false);
  expect(parseStoreOptions(["--cases", "image", "--publish"]).isPublished).toBe(true);
});

test.each([
  ["--rounds", "2"],
  ["--image", "512"],
  ["--reduction", "128"],
  ["--fingerprints", "10"],
  ["--collected", "2048"],
  ["--peers", "borg"],
])("a run cut short by %s is not published", (...programArguments) => {
  expect(parseStoreOptions(programArguments).isPublished).toBe(false);
  expect(() => parseStoreOptions([...programArguments, "--publish"])).toThrow("measured in full");
});
