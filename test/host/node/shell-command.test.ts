import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, test, vi } from "vitest";
import { LastWill, runShell, shellOutput } from "#src/host/node/shell-command.ts";
import { patience, patienceMs } from "#test/patience.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { childProcessIds, startedBy } from "./child-processes.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const { env } = process;

test("a command that ends well is done, and one that does not says how", async () => {
  await runShell("exit 0", { env, timeoutMs: patienceMs });
  await expect(runShell("exit 3", { env, timeoutMs: patienceMs })).rejects.toThrow(
    "'exit 3' has failed: it ended with status 3",
  );
  await expect(runShell("kill -9 $$", { env, timeoutMs: patienceMs })).rejects.toThrow("it was ended by SIGKILL");
});

test("a command that takes too long is ended with all that it started", async () => {
  const file = join(temporaryFolder(), "pid");
  const command = `sleep 1000 & echo $! > ${file}; wait`;
  // Long enough for it to have begun.
  await expect(runShell(command, { env, timeoutMs: 3000 })).rejects.toThrow("it took longer than 3 s");
  const pid = Number(readFileSync(file, "utf8"));
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"), patience);
});

test("a command that goes along with its process is ended when that is killed, and leaves no shell behind when it has ended", async () => {
  const file = join(temporaryFolder(), "pid");
  const script = `
    const { runShellAlong } = await import("#src/host/node/shell-command.ts");
    const options = { env: process.env, timeoutMs: 1e9 };
    await runShellAlong("exit 0", options);
    await runShellAlong("sleep 1000 & echo $! > ${file}; echo begun >&2; wait", options);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { cwd: projectRoot });
  await once(child.stderr, "data");
  expect(childProcessIds(child.pid)).toHaveLength(2);
  child.kill("SIGKILL");
  const pid = Number(readFileSync(file, "utf8"));
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"), patience);
});

test("a command whose process is killed before its keeper knows of it does nothing", async () => {
  const file = join(temporaryFolder(), "said");
  const script = `
    const { LastWill, runShell } = await import("#src/host/node/shell-command.ts");
    const lastWill = await LastWill.begin("echo released >> ${file}", process.env);
    lastWill.underWay = () => process.kill(process.pid, "SIGKILL");
    await runShell("echo rested >> ${file}", { env: process.env, timeoutMs: 1e9, lastWill });
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { cwd: projectRoot });
  // The command and the keeper hold it open as long as they run.
  await once(child, "close");
  expect(readFileSync(file, "utf8")).toBe("released\n");
});

test("a command whose keeper has ended does nothing, and says so", async () => {
  const lost = Promise.withResolvers<Error>();
  const { result: lastWill, pid } = await startedBy(() => LastWill.begin(":", env, lost.resolve));
  process.kill(pid, "SIGKILL");
  await lost.promise;
  const file = join(temporaryFolder(), "done");
  await expect(runShell(`touch ${file}`, { env, timeoutMs: patienceMs, lastWill })).rejects.toThrow(
    "has failed: the shell that would end it if this command were killed has ended",
  );
  expect(existsSync(file)).toBe(false);
  await lastWill.callOff();
});

test("a command is interrupted", async () => {
  const controller = new AbortController();
  const running = runShell("sleep 1000", { env, timeoutMs: 100_000, signal: controller.signal });
  controller.abort();
  await expect(running).rejects.toThrow("it was interrupted");
});

test("what a command prints is handed over, byte by byte", async () => {
  const options = { env, timeoutMs: patienceMs, bytesMax: 10 };
  expect(await shellOutput("printf '0123456789'", options)).toEqual(Buffer.from("0123456789"));
  expect(await shellOutput("printf '\\377\\000'", options)).toEqual(Buffer.from([255, 0]));
  await expect(shellOutput("yes", options)).rejects.toThrow("the command has failed: it printed more than 10 bytes");
  await expect(shellOutput("sleep 1000", { ...options, timeoutMs: 300 })).rejects.toThrow("it took longer than 0.3 s");
});

test("fault 35: a command that was to print a secret fails without a word of it", async () => {
  const options = { env, timeoutMs: patienceMs, bytesMax: 100 };
  const error = await shellOutput("echo topsecret; exit 3", options).catch((reason) => reason);
  expect(error.message).toBe("the command has failed: it ended with status 3");
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("topsecret");
});

test("a last will that was called off is not done", async () => {
  const file = join(temporaryFolder(), "done");
  const lost = vi.fn();
  const will = await LastWill.begin(`touch ${file}`, env, lost);
  await will.callOff();
  expect([existsSync(file), lost.mock.calls]).toEqual([false, []]);
});

test("a last will whose shell was ended by somebody says so, and is called off all the same", async () => {
  const lost = Promise.withResolvers<Error>();
  const { result: will, pid } = await startedBy(() => LastWill.begin("exit", env, lost.resolve));
  process.kill(pid, "SIGKILL");
  expect((await lost.promise).message).toBe(
    "the shell that would run 'exit' if this command were killed has ended: it was ended by SIGKILL",
  );
  await will.callOff();
});

test("where no shell can be had for a last will there is none", async () => {
  const lost = vi.fn();
  // Longer than what the system lets a program be given.
  await expect(LastWill.begin("x".repeat(1 << 20), env, lost)).rejects.toThrow(/cannot be started: .*E2BIG/);
  expect(lost).not.toHaveBeenCalled();
});

/** A process that has nothing but a last will, and the one shell that keeps it. */
async function processWithWill(command: string) {
  const script = `
    const { LastWill } = await import("#src/host/node/shell-command.ts");
    await LastWill.begin(${JSON.stringify(command)}, process.env);
    console.log("ready");
    setInterval(() => {}, 60_000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: projectRoot,
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  const [keeper, ...others] = childProcessIds(child.pid) as [number, ...number[]];
  expect(others).toEqual([]);
  return { child, keeper };
}

test("a last will is done when its process is killed", async () => {
  const file = join(temporaryFolder(), "done");
  const { child } = await processWithWill(`touch ${file}`);
  child.kill("SIGKILL");
  await vi.waitFor(() => expect(existsSync(file)).toBe(true), patience);
});

test("a last will is done although its shell was told to end too, and can itself be told to", async () => {
  const file = join(temporaryFolder(), "ignored");
  const { child, keeper } = await processWithWill(
    `grep SigIgn /proc/self/status > ${file}.part; mv ${file}.part ${file}`,
  );
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) process.kill(-keeper, signal);
  child.kill("SIGKILL");
  await vi.waitFor(() => expect(existsSync(file)).toBe(true), patience);
  const ignored = BigInt(`0x${readFileSync(file, "utf8").split("\t")[1]?.trim()}`);
  expect(ignored & (1n << BigInt(constants.signals.SIGTERM - 1))).toBe(0n);
});
