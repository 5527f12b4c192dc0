/** Chaos as it is started by hand. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "#test/clients/command.ts";

function chaos(...line: readonly string[]) {
  return run(process.execPath, [join(import.meta.dirname, "main.ts"), ...line]);
}

test("--help shows how, with an example", async () => {
  expect(await chaos("--help")).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining("npm run chaos -- --minutes 60 --seed 7"),
    stderr: "",
  });
});

test.each([
  [["--minuts", "5"], "Unknown option '--minuts'"],
  [["5"], "chaos takes no '5'"],
  [["--minutes", "0"], "--minutes must be a whole number from 1 to"],
  [["--seed", "-1"], "--seed"],
])("%j is wrong use, and one line", async (line, message) => {
  const { exitCode, stdout, stderr } = await chaos(...line);
  expect([exitCode, stdout, stderr.split("\n").length]).toEqual([2, "", 2]);
  expect(stderr).toContain(message);
});
