import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { expect, test } from "vitest";
import { nodeFiles } from "#src/host/node/files.ts";
import { whenDone } from "#src/host/when-done.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { temporaryFolder } from "./temporary-folder.ts";

needPrograms("prlimit");

const script = `
  const fs = await import("node:fs");
  const { nodeFiles } = await import("#src/host/node/files.ts");
  const taken = [];
  try {
    for (;;) taken.push(fs.openSync("/dev/null"));
  } catch {}
  nodeFiles.syncFolder(process.argv[1], (error) => console.log(error?.code ?? "synced"));
  fs.open("/dev/null", (error) => {
    console.log(error.code);
    for (const fd of taken) fs.closeSync(fd);
  });
`;

test("fault 37: the sync of a folder waits for a descriptor, for nothing of it has failed yet", () => {
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", script];
  const words = execFileSync("prlimit", ["--nofile=64:64", ...node, temporaryFolder()], { cwd: projectRoot });
  expect(String(words).split("\n")).toEqual(["EMFILE", "synced", ""]);
});

test("a folder that is not there is no folder that is synced", async () => {
  const missing = `${temporaryFolder()}/missing`;
  await expect(whenDone((done) => nodeFiles.syncFolder(missing, done))).rejects.toMatchObject({ code: "ENOENT" });
  fs.writeFileSync(missing, "a file");
  await expect(whenDone((done) => nodeFiles.syncFolder(missing, done))).rejects.toMatchObject({ code: "ENOTDIR" });
});
