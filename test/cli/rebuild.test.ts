import fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NamesDoubt } from "#src/control/names-doubt.ts";
import { nodeMachine } from "#src/host/node/machine.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { rememberingLog } from "#test/store/remembering-log.ts";
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

test("fault 13: a rebuild in place writes nothing to a store while nobody knows what is in it", async () => {
  const data = temporaryFolder();
  const objects = join(data, "remote/objects");
  fs.mkdirSync(objects, { recursive: true });
  const doubt = NamesDoubt.open(nodeMachine(rememberingLog([])), join(data, "remote/names-doubt.json"));
  await doubt.note("nobody knows what is in it");
  const rebuilt = await commandHere(["rebuild", "--in-place", "--data", data]);
  expect(rebuilt).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("store retry --remounted") });
  expect(fs.readdirSync(objects)).toEqual([]);
});
