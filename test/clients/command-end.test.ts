import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { whenSeen } from "#test/patience.ts";

/** A program that runs another one, and ends in good order when it is told to. */
const source = `
  process.once("SIGTERM", () => process.exit(143));
  const { run } = await import(${JSON.stringify(new URL("./command.ts", import.meta.url).href)});
  await run("sh", ["-c", "echo $$ >&2; exec sleep 1000"], { timeoutMs: 1e6, heard: (text) => console.log(text) });
`;

function isThere(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

test("what a program runs is told of as it comes, and ends with it", async () => {
  const program = spawn(process.execPath, ["--input-type=module", "--eval", source], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = (await once(program.stdout, "data")) as [Buffer];
  const other = Number(said.toString());
  expect(isThere(other)).toBe(true);
  program.kill("SIGTERM");
  const [exitCode] = (await once(program, "exit")) as [number];
  expect(exitCode).toBe(143);
  await whenSeen(() => expect(isThere(other)).toBe(false));
});
