/**
 * The units of systemd at work: the package is installed on a machine as docs/install.md says, by the very lines that stand there,
 * and its services are started, restarted, killed, stopped, and started with the machine, under all that their hardening forbids.
 *
 * QEMU plays that machine's processor, twenty times as slow as it is, and the program's own limits of some ten seconds are counted by
 * its clock. So this runs only when it is asked for, as root, on a machine that has nothing else to do:
 * `TIDEMARK_MACHINES=1 npx vitest run --project long test/deploy/units.long.test.ts`
 *
 * A container, as in booted.long.test.ts, is as quick as the machine is, and has less: it shares the kernel. `/dev/nbd0`, which these
 * scripts attach, is there only where that has the module nbd (kernels of virtual machines and of CI often have not), and then it is
 * everybody's; the disk that the unit may open would be one of the machine's loop devices, and a power-off with it mounted no loss of
 * anything.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { succeed } from "#test/clients/command.ts";
import { guestObstacle } from "#test/clients/guest/kernel.ts";
import { needPrograms, skipWhere } from "#test/clients/harness.ts";
import { debianObstacle, unpackDebian } from "./machine/debian-tree.ts";
import { installScripts } from "./machine/documented.ts";
import { installInto } from "./machine/installed-package.ts";
import { addScripts, Machine, makeDisk } from "./machine/machine.ts";
import { expectSteps } from "./machine/steps.ts";

needPrograms("qemu-system-x86_64", "busybox", "cpio", "mmdebstrap", "mkfs.ext4", "e2fsck", "debugfs");
skipWhere(async () =>
  process.env.TIDEMARK_MACHINES === "1"
    ? undefined
    : "TIDEMARK_MACHINES=1 starts whole machines, which wants this one alone",
);
skipWhere(guestObstacle);
skipWhere(debianObstacle);

/** Making the system, and the machine's whole life twice. */
const testMs = 2_400_000;

/** Of all tests together. */
const folder = mkdtempSync(join(tmpdir(), "tidemark-units-"));
afterAll(() => rmSync(folder, { recursive: true }));

let made: Promise<string> | undefined;

/** Debian with the package and the scripts, for all tests once. */
function tree(): Promise<string> {
  made ??= makeTree();
  return made;
}

async function makeTree(): Promise<string> {
  const path = join(folder, "tree");
  await unpackDebian(path);
  await installInto(path, join(folder, "package"));
  await addScripts(path, installScripts);
  return path;
}

/** With a disk that holds a letter. */
async function machine(name: string): Promise<{ readonly machine: Machine; readonly source: string }> {
  const own = join(folder, name);
  await mkdir(join(own, "letters"), { recursive: true });
  await writeFile(join(own, "letters/letter"), "dear reader\n");
  const [system, source] = [join(own, "system"), join(own, "source")];
  await makeDisk(await tree(), system);
  await makeDisk(join(own, "letters"), source, 64);
  return { machine: await Machine.of(own, [system, source]), source };
}

async function allInOne(): Promise<void> {
  const { machine: one, source } = await machine("one");
  expectSteps(
    await one.run("all-in-one"),
    ["tidemark"],
    [
      "installed and started, as a user that may do little",
      "a disk and a file are protected",
      "attached by its unit, with what was on it",
      "what was deleted is there in a view, and in a copy",
      "restarted, and attached again",
      "killed, back by itself, and attached again",
      "stopped in order, and detached before",
      "started once more",
    ],
  );
  // The machine was switched off with the disk mounted.
  await succeed("e2fsck", ["-f", "-n", source]);
  expect((await succeed("debugfs", ["-R", "cat third", source])).stdout).toBe("a third letter\n");
  const again = ["protected and attached from the start on", "what was before is still a point"];
  expectSteps(await one.run("again"), [], again);
  await succeed("e2fsck", ["-f", "-n", source]);
}

async function apart(): Promise<void> {
  const { machine: one, source } = await machine("apart");
  expectSteps(
    await one.run("roles"),
    ["tidemark-remote", "tidemark-local", "tidemark-interceptor"],
    [
      "the remote appliance runs",
      "interceptor and local appliance run",
      "a disk is protected, and attached",
      "remote killed, back by itself, and written to",
      "local killed, back by itself, and written to",
      "interceptor killed, back by itself, and written to",
      "each has read its configuration again, and was restarted",
      "all stopped in order",
    ],
  );
  await succeed("e2fsck", ["-f", "-n", source]);
  expect((await succeed("debugfs", ["-R", "cat interceptor", source])).stdout).toBe("after the end of interceptor\n");
}

/** Each takes minutes. */
const lives = [
  [
    "all roles in one service: protected, attached, and there again after a restart, a kill, a stop and a new start",
    allInOne,
  ],
  ["a service per role: each is killed under a host that writes, and comes back", apart],
] as const;

test.each(lives)("%s", async (_, life) => life(), testMs);
