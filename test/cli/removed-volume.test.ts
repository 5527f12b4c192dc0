/** A volume of a group is removed, and the others go on as if it had never been. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ViewFacts } from "#src/control/view.ts";
import { decodeDocument, encodeDocument } from "#src/host/document.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { whenSeen } from "#test/patience.ts";
import { RunningProgram } from "./running-program.ts";

const kind = { format: "tidemark-volumes", version: 1 };

async function add(up: RunningProgram, folder: string, name: string): Promise<void> {
  await up.asked("volume", "add", name, "--group", "g", "--source", join(folder, `${name}.img`), "--size", "1M");
}

/** It is told of a little later. */
async function whenMarked(local: RunningProgram): Promise<void> {
  await whenSeen(() => local.asked("mark", "g", "--name", "m"));
}

test("marks are set behind a removal at once, after a start, and with another volume of the name", async () => {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  const up = await RunningProgram.start("up", data);
  for (const name of ["a", "b"]) await add(up, folder, name);
  await up.asked("mark", "g", "--name", "before");
  await up.asked("volume", "rm", "b", "--confirm", "b");
  await up.asked("mark", "g", "--name", "at-once");
  await up.program.stop();
  const again = await RunningProgram.start("up", data);
  // The volume that is left is opened by then.
  await whenSeen(() => again.asked("mark", "g", "--name", "after-a-start"));
  await again.asked("volume", "add", "b", "--group", "g", "--source", join(folder, "b.img"));
  await again.asked("mark", "g", "--name", "added-again");
  expect((await again.status()).groups).toMatchObject([{ volumeNames: ["a", "b"] }]);
  // Nothing was written to any of them, and each was as its host saw it.
  const added = (await again.asked("view", "open", "b@mark:added-again")) as ViewFacts;
  const before = (await again.asked("view", "open", "b#2@mark:before")) as ViewFacts;
  expect(before.seq).toBeLessThan(added.seq);
  expect(await again.asked("points", "b")).toMatchObject({ earlier: ["b#2"] });
  const { exitCode, stderr } = await again.typed("view", "open", "b@mark:before");
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("removed and added again is b#2")]);
});

test("a group that an earlier version left with a removed volume is mended at the next start", async () => {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  const up = await RunningProgram.start("up", data);
  for (const name of ["a", "b"]) await add(up, folder, name);
  await up.program.stop();
  const path = join(data, "interceptor/volumes.json");
  const { volumes } = decodeDocument(readFileSync(path), path, kind) as { volumes: { name: string }[] };
  writeFileSync(path, encodeDocument(kind, { volumes: volumes.filter(({ name }) => name === "a") }));
  const again = await RunningProgram.start("up", data);
  await whenMarked(again);
});
