/** The program in docs/library.md does what the text around it says. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { projectRoot } from "#test/tidy/project-files.ts";

const conditions = ["--conditions=tidemark-checkout"];

test("the library's example runs as it stands, without a warning", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tidemark-library-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [, program = ""] = /```ts\n(.*?)```/s.exec(await readFile(join(projectRoot, "docs/library.md"), "utf8")) ?? [];
  const placed = program.replaceAll('"disk.img"', JSON.stringify(join(folder, "disk.img")));
  // The package finds itself by its name only from within its own folder.
  const run = promisify(execFile)(
    process.execPath,
    [...conditions, "--input-type=module-typescript", "--eval", placed],
    {
      cwd: projectRoot,
      env: { ...process.env, NODE_OPTIONS: "" },
    },
  );
  expect(await run).toEqual({ stdout: "hello from 1048576 bytes\n", stderr: "" });
});
