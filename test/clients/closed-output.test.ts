/** Whoever reads what the server says may be gone; the server is not. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { succeed } from "./command.ts";
import { needPrograms, serveCommand, temporaryFolder, unixUri } from "./harness.ts";
import { createImage, MiB } from "./image.ts";

needPrograms("nbdinfo");

test("clients are served and the end is orderly after the output was closed", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 4 * MiB);
  const [program, ...programArguments] = serveCommand(disk, ["--json", "--socket", folder.file("socket")]);
  const child = spawn(program, programArguments, { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  await once(child.stdout, "data");
  child.stdout.destroy();
  child.stderr.destroy();
  for (let count = 0; count < 3; count++) {
    const { stdout } = await succeed("nbdinfo", ["--size", unixUri(folder.file("socket"))]);
    expect(stdout.trim()).toBe(String(4 * MiB));
  }
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});
