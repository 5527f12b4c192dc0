import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";

const run = promisify(execFile);
const launcher = new URL("../../src/cli/launch.js", import.meta.url).pathname;
const golden = (name: string) => new URL(`../golden/${name}`, import.meta.url).pathname;
const dumped = (...parameters: string[]) => run(process.execPath, [launcher, "dump", ...parameters]);

test.each([
  ["sealed-piece-v1.bin", /^piece .*, records 1099511627781 to /],
  ["snapshot-v1.bin", /^snapshot .*: record 2001 of epoch 1, /],
  ["drills-v1.bin", /^tidemark-drills, version 1\n\{\n {2}"lastId"/],
  ["audit-v1.bin", /^tidemark-audit, version 1\n\{"number":1,.*\n(.*\n){3}$/],
  ["events-v1.bin", /^tidemark-events, version 1\n\{"id":1700000000000001,/],
])("what lies in %s is found out", async (name, words) => {
  expect((await dumped(golden(name))).stdout).toMatch(words);
});

test("a document that is not as it was written is said to be damaged, and another file to be none of Tidemark's", async () => {
  const path = join(temporaryFolder(), "drills.json");
  writeFileSync(path, readFileSync(golden("drills-v1.bin"), "utf8").replace('"failed"', '"proven"'));
  await expect(dumped(path, "--json")).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^\{"kind":"flaw","finding":".*drills.json is damaged/),
  });
  writeFileSync(path, "a shopping list");
  await expect(dumped(path)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("drills.json does not say that it is one of Tidemark's files"),
  });
});
