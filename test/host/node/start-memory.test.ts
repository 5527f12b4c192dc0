import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { projectRoot } from "#test/tidy/project-files.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const startMemory = join(projectRoot, "src/host/node/start-memory.ts");

/** Runs in a process of its own, says one value, and is killed. */
async function said(script: string, ...args: readonly string[]): Promise<unknown> {
  const child = spawn(
    process.execPath,
    ["--expose-gc", "--single-threaded-gc", "--input-type=module", "--eval", script, ...args],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  const [text] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  child.kill("SIGKILL");
  await once(child, "exit");
  return JSON.parse(text);
}

const loading = `
import module from "node:module";
const [startMemory, cache, own] = process.argv.slice(1);
const { giveBackStartMemory } = await import(startMemory);
module.enableCompileCache(cache);
await import(own);
giveBackStartMemory();
console.log(JSON.stringify("loaded"));
process.stdin.resume();`;

test("what a start has compiled is written down at once, and not only at an end in order", async () => {
  const folder = temporaryFolder();
  const own = join(folder, "own.mjs");
  writeFileSync(own, "export const answer = 42;");
  const cache = join(folder, "cache");
  expect(await said(loading, startMemory, cache, own)).toBe("loaded");
  expect(readdirSync(cache, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())).toHaveLength(
    1,
  );
});

const starting = `
import module from "node:module";
import { pathToFileURL } from "node:url";
const [startProcess, cache, echo] = process.argv.slice(1);
module.enableCompileCache(cache);
const child = (await import(startProcess)).startProcess(pathToFileURL(echo), { name: "child" });
child.receive(([, message]) => {
  if (message === "first") return child.send("second");
  child.end();
  console.log(JSON.stringify(message));
});
child.send("first");
process.stdin.resume();`;

test("nor does a process of its own wait for its end, which may come by force", async () => {
  const cache = join(temporaryFolder(), "cache");
  const echo = join(projectRoot, "test/host/echo-process.ts");
  expect(await said(starting, join(projectRoot, "src/host/node/process.ts"), cache, echo)).toBe("second");
  expect(readdirSync(cache, { recursive: true, withFileTypes: true }).some((entry) => entry.isFile())).toBe(true);
});

const freeing = `
import fs from "node:fs";
const { giveBackStartMemory } = await import(process.argv[1]);
const anonymousKiB = () => Number(/RssAnon:\\s*(\\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1]);
let pieces = Array.from({ length: 1024 }, () => Buffer.allocUnsafeSlow(64 * 1024).fill(1));
// What is behind it in memory is not the end of the heap, which would be given back by itself.
const last = pieces.at(-1);
pieces = undefined;
gc();
const before = anonymousKiB();
giveBackStartMemory();
console.log(JSON.stringify({ freedMiB: (before - anonymousKiB()) / 1024, last: last.length }));
process.stdin.resume();`;

test("memory that was freed, and is not at the end of the heap, goes back to the system", async () => {
  const { freedMiB } = (await said(freeing, startMemory)) as { readonly freedMiB: number };
  expect(freedMiB).toBeGreaterThan(48);
});
