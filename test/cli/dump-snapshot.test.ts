import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const launcher = new URL("../../src/cli/launch.js", import.meta.url).pathname;
const golden = (name: string) => new URL(`../golden/${name}`, import.meta.url).pathname;
const dumped = (...parameters: string[]) => run(process.execPath, [launcher, "dump", "snapshot", ...parameters]);

test("a snapshot is dumped with what it needs, and where its pointers lead", async () => {
  const path = golden("snapshot-v1.bin");
  const { stdout } = await dumped(path);
  expect(stdout).toMatch(
    /^snapshot .*: record 2001 of epoch 1, .*, made of snapshot 2000 and the pieces behind it; 1 nodes/,
  );
  expect(stdout).toMatch(/ uses 22 nodes of snapshot 2000: /);
  expect(stdout).toMatch(/ pointers to 2 blocks in the data journal of level 0, segments 10 to 10\n/);
  expect(stdout).toMatch(/ 1 pointers to nodes in snapshot 2000\n/);
  const items = (await dumped(path, "--json")).stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(items[0]).toMatchObject({ kind: "snapshot", object: path, seq: 2001, baseSeq: 2000 });
});

test("what is no snapshot is refused", async () => {
  await expect(dumped(golden("sealed-piece-v1.bin"))).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("sealed-piece-v1.bin is no snapshot"),
  });
});
