/**
 * `npm run chaos -- --breaks`: breaks the product on purpose, in one place after the other, and lets chaos look at it. A break that is not
 * found, or that does not fit the code any more, is a failure.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { run } from "#test/clients/command.ts";
import { type Break, BrokenCopy } from "#test/sites/breaks/break.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { chaosBreaks } from "./chaos-breaks.ts";
import type { ChaosReport } from "./report.ts";

const defaultSeed = 1;
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Progress goes to the standard error. `only`: those whose names have this in them. */
export async function runChaosBreaks(minutes: number, only: string): Promise<boolean> {
  let isSound = true;
  for (const one of chaosBreaks.filter(({ name }) => name.includes(only))) {
    const seed = one.knownSeed ?? defaultSeed;
    const { failures } = await look(one, ["--minutes", String(minutes), "--seed", String(seed), "--json"]);
    isSound &&= failures.length > 0;
    process.stdout.write(`${one.name}: ${failures[0] ?? "NOT FOUND"}\n`);
  }
  return isSound;
}

async function look(one: Break, line: readonly string[]): Promise<ChaosReport> {
  const copy = new BrokenCopy(projectRoot, one.changes);
  try {
    const child = spawn(process.execPath, [join(copy.folder, "test/chaos/main.ts"), ...line], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "close");
    // It ends in good order then; whoever left it alone would leave its mounts as well.
    const pass = (signal: NodeJS.Signals): unknown => child.kill(signal);
    for (const signal of signals) process.on(signal, pass);
    const report = JSON.parse(await text(child.stdout)) as ChaosReport;
    await ended;
    for (const signal of signals) process.off(signal, pass);
    if (report.folder !== undefined) await removeLeft(report.folder);
    return report;
  } finally {
    copy.remove();
  }
}

/** A run that has failed leaves all for a look, and mounts behind which nobody is any more. */
async function removeLeft(folder: string): Promise<void> {
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  for (const path of mounts.filter((path) => path.startsWith(`${folder}/`)).reverse()) {
    await run("umount", ["--lazy", path]);
  }
  rmSync(folder, { recursive: true, force: true });
}
