/** The first minute of docs/quick-start.md, typed as it stands there. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { attachObstacle } from "#test/clients/attached-disk.ts";
import { run } from "#test/clients/command.ts";
import { needPrograms, skipWhere } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { launcher, RunningProgram } from "./running-program.ts";

needPrograms("mkfs.ext4", "debugfs", "nbdfuse", "losetup", "mount");
skipWhere(attachObstacle);

function firstMinute(): readonly string[] {
  const text = readFileSync(join(projectRoot, "docs/quick-start.md"), "utf8");
  const [section = ""] = text.split("\n## A real disk", 1);
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = ""]) => block);
}

test("a file is protected, tells its story, and is a disk with that story on it", async () => {
  const folder = temporaryFolder();
  const [start, commands = "", attach = ""] = firstMinute();
  expect(start).toBe("tidemark up --data /tmp/tidemark\n");
  const up = await RunningProgram.start("up", join(folder, "data"));
  const environment = { TIDEMARK_API: up.api, TIDEMARK_ATTACHED: join(folder, "attached") };
  const typed = (text: string) => {
    const script = `tidemark() { "${process.execPath}" "${launcher}" "$@"; }\n${text.replaceAll("/tmp/", `${folder}/`)}`;
    return run("bash", ["-ec", script], { environment });
  };
  const told = await typed(commands);
  expect(told.stdout, told.stderr).toContain("It is back on the volume: lost+found letter.txt");
  onTestFinished(async () => {
    if (existsSync(join(folder, "attached/try"))) await typed("tidemark detach try --force");
  });
  const attached = await typed(attach.replace("attach try", "attach try --client fuse"));
  expect(attached, attached.stderr).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("try is detached") });
  const looked = await typed(`tidemark attach try --client fuse --mount /tmp/try
cat /tmp/try/letter.txt /tmp/try/now
tidemark detach try`);
  expect(looked.stdout, looked.stderr).toMatch(/nobody has a copy of this letter\..*\d\d:\d\d:\d\d/s);
});
