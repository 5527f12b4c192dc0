/** The list of faults, the tests that carry their numbers, and the document that is made of both. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { faultTests } from "#test/tidy/fault-tests.ts";
import { faults } from "#test/tidy/faults.ts";
import { projectRoot, readProject } from "#test/tidy/project-files.ts";
import { reliabilityDocument, reliabilityFindings } from "#test/tidy/reliability-document.ts";

const tests = faultTests(readProject());

test("faults are numbered from 1 on", () => {
  expect(faults.map(({ number }) => number)).toEqual(faults.map((_, index) => index + 1));
});

test("each fault has a test, or it is said what is missing; and no test is about a fault that nobody knows", () => {
  expect(reliabilityFindings(faults, tests)).toEqual([]);
});

test("a fault without a test is found, and so is a test of a fault that there is not", () => {
  const [fault] = faults;
  if (fault === undefined) throw new Error("there are faults");
  expect(reliabilityFindings([fault], [])).toEqual([expect.stringContaining("fault 1 has no test")]);
  expect(reliabilityFindings([{ ...fault, missing: "all of it." }], [])).toEqual([]);
  const stranger = { path: "test/a.test.ts", title: "b", faults: [1, 99] };
  expect(reliabilityFindings([fault], [stranger])).toEqual(["test/a.test.ts: there is no fault 99"]);
});

test("names of tests are read however the tests are written", () => {
  const text = `describe("fault 1: a group", () => { test("of one", () => {}); });
    describe("a sync", () => { test("fault 9: that fails", () => {}); });
    test("fault 2: one", () => {});
    test.each([1])("faults 3, 4 and 5: one of %i", () => {});
    describe.each(styles)(\`faults 6 and 7: in \${style}\`, () => {});
    test("default 1: no fault", () => {});
    fault("fault 8: no test");`;
  expect(faultTests([{ path: "test/a.test.ts", text }])).toEqual([
    { path: "test/a.test.ts", title: "a group", faults: [1] },
    { path: "test/a.test.ts", title: "a sync that fails", faults: [9] },
    { path: "test/a.test.ts", title: "one", faults: [2] },
    { path: "test/a.test.ts", title: "one of …", faults: [3, 4, 5] },
    { path: "test/a.test.ts", title: "in …", faults: [6, 7] },
  ]);
});

/** `npx vitest run test/reliability.test.ts -u` writes it anew. */
test("the document says what the list and the tests say", async () => {
  await expect(reliabilityDocument(faults, tests)).toMatchFileSnapshot(join(projectRoot, "docs/reliability.md"));
});
