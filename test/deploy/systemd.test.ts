/** The units: what systemd itself thinks of them, and that they agree with the program. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import {
  attachOpenMs,
  attachReadyMs,
  attachStepMs,
  detachSecondsDefault,
  makeFileSystemMs,
} from "#src/core/attach-limits.ts";
import { run, succeed } from "#test/clients/command.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { exposureMax } from "./machine/steps.ts";
import { readUnit, unitNames, unitPath } from "./unit-file.ts";

needPrograms("systemd-analyze");

test("systemd finds no fault with the units", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "units"));
  const paths = [...unitNames, "tidemark-attach@"].map(unitPath).map((path) => {
    const copy = join(folder, "units", basename(path));
    // The program is where npm puts it, which is not here.
    writeFileSync(copy, readFileSync(path, "utf8").replaceAll("/usr/local/bin/tidemark", "/bin/true"));
    return copy;
  });
  const { exitCode, stdout, stderr } = await run("systemd-analyze", ["verify", "--man=no", ...paths]);
  expect({ exitCode, said: (stdout + stderr).split("\n").filter((line) => line.includes("tidemark")) }).toEqual({
    exitCode: 0,
    said: [],
  });
});

test.each(unitNames)("%s may do little", async (name) => {
  const { stdout } = await succeed("systemd-analyze", ["security", "--offline=true", "--no-pager", unitPath(name)]);
  const [, exposure] = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout) ?? [];
  expect(Number(exposure)).toBeLessThanOrEqual(exposureMax);
});

test("what docs/install.md adds for a block device to restore to is in order, and opens little", async () => {
  const document = readFileSync(join(projectRoot, "docs/install.md"), "utf8");
  const [, dropIn = ""] = /^```ini\n([^`]*DeviceAllow=[^`]*)^```$/m.exec(document) ?? [];
  const unit = join(temporaryFolder(), "tidemark-remote.service");
  writeFileSync(unit, `${readFileSync(unitPath("tidemark-remote"), "utf8")}\n${dropIn}`);
  const { stdout, stderr } = await succeed("systemd-analyze", ["security", "--offline=true", "--no-pager", unit]);
  expect(stderr).not.toContain("tidemark");
  expect(stdout).toMatch(/PrivateDevices= +Service potentially has access to hardware devices/);
  expect(Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThanOrEqual(exposureMax);
});

test("the unit that attaches a volume goes on until it has, and ends no attach that is still on its way", () => {
  const unit = readUnit("tidemark-attach@");
  expect([unit.get("Service.Restart"), unit.get("Unit.StartLimitIntervalSec")]).toEqual([["on-failure"], ["0"]]);
  const [seconds] = unit.get("Service.TimeoutStartSec") ?? [];
  // What an earlier one has left, the volume, the device, a file system, a mount; and the small steps between them.
  const longestMs =
    detachSecondsDefault * 1000 + attachOpenMs + attachReadyMs + 2 * makeFileSystemMs + 6 * attachStepMs;
  expect(Number(seconds) * 1000).toBeGreaterThan(longestMs);
});

test("each role has a unit of its own, run by a user of its own, with the sample's file", () => {
  const roles = {
    tidemark: "up",
    "tidemark-interceptor": "interceptor",
    "tidemark-local": "local",
    "tidemark-remote": "remote",
  };
  for (const [name, role] of Object.entries(roles)) {
    const unit = readUnit(name);
    expect(unit.get("Service.ExecStart")).toEqual([
      `/usr/local/bin/tidemark ${role} --config /etc/tidemark/tidemark.yaml`,
    ]);
    expect(unit.get("Service.User")).toEqual(["tidemark"]);
    expect(unit.get("Service.StateDirectory")).toEqual(["tidemark"]);
    expect(unit.get("Service.Type")).toEqual(["notify"]);
    // By default systemd gives up after five failures within ten seconds, for good.
    expect([unit.get("Service.Restart"), unit.get("Unit.StartLimitIntervalSec")]).toEqual([["on-failure"], ["0"]]);
  }
});
