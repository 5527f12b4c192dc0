/**
 * A machine as a container: systemd as its first process, with folders, processes and a network of its own, on the kernel of the machine
 * around it. It is as quick as that is, and has neither disks nor a power that could be lost.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "#test/clients/command.ts";
import type { GuestReport } from "#test/clients/guest/machine.ts";

/** For its whole life, on a machine that does much else. */
export const containerMs = 600_000;

const reportFile = "guest/report";
const options = [
  "--quiet",
  "--register=no",
  "--keep-unit",
  "--private-network",
  "--link-journal=no",
  `--machine=tidemark-${process.pid}`,
];

/** Why the kernel around it lets no system run there, in words; undefined where it does. */
export async function containerObstacle(tree: string): Promise<string | undefined> {
  const { exitCode, stderr } = await run("systemd-nspawn", [...options, "--directory", tree, "/bin/true"]);
  return exitCode === 0 ? undefined : `this machine lets nobody have a container: ${stderr.trim()}`;
}

/** From its start until it has switched itself off. */
export async function runInContainer(tree: string, script: string): Promise<GuestReport> {
  const dropIns = join(tree, "etc/systemd/system/script.service.d");
  await mkdir(dropIns, { recursive: true });
  const place = `file:/${reportFile}`;
  await writeFile(join(dropIns, "here.conf"), `[Service]\nStandardOutput=${place}\nStandardError=${place}\n`);
  await writeFile(join(tree, "guest/script"), `${script}\n`);
  await writeFile(join(tree, reportFile), "");
  const boot = ["--console=pipe", "--directory", tree, "--boot"];
  const complaint = await run("systemd-nspawn", [...options, ...boot], { timeoutMs: containerMs }).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: unknown) => String(error),
  );
  const said = await readFile(join(tree, reportFile), "utf8");
  return {
    steps: [...said.matchAll(/^GUEST: (.*)$/gm)].flatMap((match) => match[1] ?? []),
    console: `${said}\n${complaint}`,
  };
}
