/**
 * The units under a systemd that has booted, in a container: the package is installed as docs/install.md says, its services are started,
 * killed, replaced by another version as docs/upgrade.md says, and stopped, under all that their hardening forbids. It takes root, and a
 * kernel that lets containers have cgroups and filters of system calls; what needs disks and a power of one's own is in units.long.test.ts.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { programVersion } from "#src/host/node/program-version.ts";
import { needPrograms, skipWhere } from "#test/clients/harness.ts";
import { containerMs, containerObstacle, runInContainer } from "./machine/container.ts";
import { debianObstacle, unpackDebian } from "./machine/debian-tree.ts";
import { documented, installScripts } from "./machine/documented.ts";
import { installInto, installVersion } from "./machine/installed-package.ts";
import { addScripts } from "./machine/machine.ts";
import { expectSteps } from "./machine/steps.ts";

needPrograms("systemd-nspawn", "mmdebstrap");
skipWhere(debianObstacle);

const [first, second] = [programVersion(), "0.2.0"];
const folder = mkdtempSync(join(tmpdir(), "tidemark-booted-"));
const tree = join(folder, "tree");
// Whatever has ended has taken its mounts along: none of them leads out of there.
afterAll(() => rmSync(folder, { recursive: true }));

/** With what is new beside what runs; npm, which has no registry there, has done its part. */
async function makeTree(): Promise<void> {
  await unpackDebian(tree);
  await installInto(tree, join(folder, "first"));
  const upgrade = documented("docs/upgrade.md", "ln -sfn");
  const [install = "", ...others] = upgrade.split("\n");
  expect(install).toMatch(new RegExp(`^npm install --global --prefix /opt/tidemark-${second} --ignore-scripts `));
  await installVersion(tree, join(folder, "second"), { prefix: `opt/tidemark-${second}`, version: second });
  const versions = `first=${first}\nsecond=${second}\n`;
  await addScripts(tree, { ...installScripts, "upgrade.sh": others.join("\n"), "versions.sh": versions });
}

test("each unit runs, comes back when it is killed, is upgraded, and ends in order", {
  timeout: 2 * containerMs,
}, async (context) => {
  await makeTree();
  const obstacle = await containerObstacle(tree);
  if (obstacle !== undefined) {
    console.warn(`not run: ${obstacle}`);
    context.skip(obstacle);
  }
  expectSteps(
    await runInContainer(tree, "booted"),
    ["tidemark", "tidemark-remote", "tidemark-local", "tidemark-interceptor"],
    [
      "installed and started, as a user that may do little",
      "a file was deleted on a volume, and has come back",
      "killed, and back by itself",
      "another version runs in its place, and has what was before",
      "stopped in order",
      "the remote appliance runs",
      "interceptor and local appliance run",
      "remote killed, back by itself, and written to",
      "local killed, back by itself, and written to",
      "interceptor killed, back by itself, and written to",
      "all stopped in order",
    ],
  );
});
