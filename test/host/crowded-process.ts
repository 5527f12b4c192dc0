/** A program for tests: starts a process when it has no descriptor left, and prints how that one ended. */
import { openSync } from "node:fs";
import { startProcess } from "#src/host/node/process.ts";

try {
  for (;;) openSync("/dev/null", "r");
} catch (error) {
  const child = startProcess(new URL("./echo-process.ts", import.meta.url), { name: "echo" });
  child.receive(() => {});
  child.send("to nobody");
  const ended = await child.ended;
  child.end();
  process.stdout.write(`${(error as Error).message}\n${ended?.message}\n`);
}
