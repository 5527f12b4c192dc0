/** The list of claims, the tests that carry them in their names, and the document that is made of both. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { claimParts, claims } from "#test/tidy/claims.ts";
import { claimFindings, claimsDocument } from "#test/tidy/claims-document.ts";
import { namedTests } from "#test/tidy/named-tests.ts";
import { projectRoot, readProject } from "#test/tidy/project-files.ts";

const tests = namedTests(readProject(), "claim");

test("each claim has an id of its own, in a part that there is", () => {
  const ids = claims.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^[A-Z][1-9]\d*$/.test(id) || claimParts[id.slice(0, 1)] === undefined)).toEqual([]);
});

test("each claim is shown from outside, or it is said what is missing; and no test is about a claim that nobody makes", () => {
  expect(claimFindings(claims, tests)).toEqual([]);
});

test("a claim that only a test of a part shows is found, and so is a test of a claim that there is not", () => {
  const claim = { id: "A1", title: "a", held: "b." };
  expect(claimFindings([claim], [{ path: "test/store/a.test.ts", title: "c", about: ["A1"] }])).toEqual([
    "claim A1 has no test in test/claims: a",
  ]);
  expect(claimFindings([{ ...claim, missing: "all of it." }], [])).toEqual([]);
  const both = { path: "test/claims/a.test.ts", title: "c", about: ["A1", "Z9"] };
  expect(claimFindings([claim], [both])).toEqual(["test/claims/a.test.ts: there is no claim Z9"]);
});

test("a name may tell of a claim behind a fault, and of several", () => {
  const text = `test("claim A5: one", () => {});
    test("fault 8: claim A10: another", () => {});
    describe("claims A7 and C1: a group", () => { test.each([1])("claim A9: of %i", () => {}); });
    test("A8: neither", () => {});`;
  const files = [{ path: "test/claims/a.test.ts", text }];
  expect(namedTests(files, "claim").map(({ title, about }) => [title, about])).toEqual([
    ["one", ["A5"]],
    ["another", ["A10"]],
    ["a group", ["A7", "C1"]],
    ["a group of …", ["A9"]],
  ]);
  expect(namedTests(files, "fault").map(({ title, about }) => [title, about])).toEqual([["another", ["8"]]]);
});

/** `npx vitest run test/claims.test.ts -u` writes it anew. */
test("the document says what the list and the tests say", async () => {
  await expect(claimsDocument(claims, tests)).toMatchFileSnapshot(join(projectRoot, "docs/claims.md"));
});
