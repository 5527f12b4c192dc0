/** The simulation as it is started by hand. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "#test/clients/command.ts";

function sim(...line: readonly string[]) {
  return run(process.execPath, [join(import.meta.dirname, "main.ts"), ...line]);
}

test("--help shows how, with examples", async () => {
  expect(await sim("--help")).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining("npm run sim -- --seeds 200"),
    stderr: "",
  });
});

test.each([
  [["--sedes", "5"], "Unknown option '--sedes'"],
  [["5"], "sim takes no '5'"],
  [["--seeds", "many"], "--seeds must be a whole number from 1 to"],
  [["--seed", "-1"], "--seed"],
])("%j is wrong use, and one line", async (line, message) => {
  const { exitCode, stdout, stderr } = await sim(...line);
  expect([exitCode, stdout, stderr.split("\n").length]).toEqual([2, "", 2]);
  expect(stderr).toContain(message);
});
