import { expect, test } from "vitest";
import { commandAlone, namesAlone } from "#src/cli/command-alone.ts";
import { commands } from "#src/cli/commands.ts";

test("every command can be loaded alone, and is the one of that name", async () => {
  expect(namesAlone.toSorted()).toEqual(commands.map(({ name }) => name).sort());
  for (const command of commands) expect(await commandAlone(command.name)).toBe(command);
  for (const name of ["--help", "toString", "", undefined]) expect(await commandAlone(name)).toBeUndefined();
});
