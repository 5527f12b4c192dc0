import fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { commandHere } from "./command-here.ts";

test("a rebuild from a folder that holds no store leaves that as it is, and begins nothing", async () => {
  const folder = temporaryFolder();
  const [wrong, data] = [join(folder, "wrong"), join(folder, "data")];
  fs.mkdirSync(join(wrong, "inner"), { recursive: true });
  fs.writeFileSync(join(wrong, "inner/draft.unpublished"), "somebody's");
  const rebuilt = await commandHere(["rebuild", "--from", wrong, "--data", data]);
  expect(rebuilt).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("holds no store: store.json") });
  expect(fs.readdirSync(wrong, { recursive: true }).sort()).toEqual(["inner", "inner/draft.unpublished"]);
  expect(fs.existsSync(data)).toBe(false);
});
