import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { hasEnded } from "./process-tree.ts";

/** It starts a shell, which starts another one, which starts a program and then tells of all three; it ends when it is told to. */
const program = `
  const { endAllAtExit } = await import(${JSON.stringify(new URL("process-tree.ts", import.meta.url).href)});
  const { spawn } = await import("node:child_process");
  endAllAtExit();
  process.once("SIGINT", () => process.exit(130));
  spawn("sh", ["-c", "sh -c 'sleep 600 & echo $PPID $$ $!; wait'; true"], { stdio: ["ignore", "inherit", "inherit"] });
`;

test("what a process has started ends with it, and what that has started too", async () => {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", program],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const started = line.toString().trim().split(" ").map(Number);
  expect(started.map(hasEnded)).toEqual([false, false, false]);
  child.kill("SIGINT");
  const [status] = await once(child, "exit");
  expect(status).toBe(130);
  expect(started.map(hasEnded)).toEqual([true, true, true]);
});
