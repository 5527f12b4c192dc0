import { expect, test } from "vitest";
import { commandAlone, namesAlone } from "#src/cli/command-alone.ts";
import { commands } from "#src/cli/commands.ts";

test("a command that is loaded alone is the one of that name, and no other", async () => {
  expect(namesAlone.length).toBeGreaterThan(0);
  for (const name of namesAlone) expect(await commandAlone(name)).toBe(commands.find((one) => one.name === name));
  for (const name of ["rebuild", "toString", "", undefined]) expect(await commandAlone(name)).toBeUndefined();
});
