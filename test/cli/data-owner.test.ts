/** What root starts by hand on the folders of a service, which is another user's. */
import { chownSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { commandHere } from "./command-here.ts";
import { RunningProgram } from "./running-program.ts";

const isRoot = process.getuid?.() === 0;
/** Nobody's here. */
const user = 10_001;

function foldersOf(owner: number, ...names: readonly string[]): string {
  const data = join(temporaryFolder(), "data");
  for (const path of [data, ...names.map((name) => join(data, name))]) mkdirSync(path);
  chownSync(names.length === 0 ? data : join(data, ...names), owner, owner);
  return data;
}

test
  .runIf(isRoot)
  .each([["up"], ["interceptor"], ["local", "--set", "remote.address=127.0.0.1:7879"], ["remote"], ["demo"]])(
  "root starts no %s on a data folder that is another user's, and makes nothing there",
  async (...line) => {
    const data = foldersOf(user);
    const { exitCode, stderr } = await commandHere([...line, "--data", data]);
    expect([exitCode, stderr.trimEnd().split("\n").length]).toEqual([1, 1]);
    expect(stderr).toMatch(
      new RegExp(
        `^tidemark: ${data} belongs to the user with the number ${user}, .*'runuser -u tidemark -- .* --as-root$`,
        "m",
      ),
    );
    expect(readdirSync(data)).toEqual([]);
  },
);

test.runIf(isRoot)("nor where only a role's folder is, as on a disk of its own", async () => {
  const data = foldersOf(user, "remote");
  expect(await commandHere(["up", "--data", data])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining(`${join(data, "remote")} belongs to the user with the number ${user}`),
  });
  expect(readdirSync(data)).toEqual(["remote"]);
});

test.runIf(isRoot)("it does where it is told to", async () => {
  const data = foldersOf(user);
  const up = await RunningProgram.start("up", data, "--as-root");
  await up.program.stop();
  expect(existsSync(join(data, "interceptor"))).toBe(true);
});
