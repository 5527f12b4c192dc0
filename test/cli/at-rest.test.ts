/** Applications at rest, and who takes them up again: also where whoever would do so for a dead process has ended himself. */
import { existsSync, readFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { atRest } from "#src/cli/at-rest.ts";
import { runShell } from "#src/host/node/shell-command.ts";
import { childProcessIds } from "#test/host/node/child-processes.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { patienceMs, whenSeen } from "#test/patience.ts";

const { env } = process;
const sentence = (name: string): string => `there is a mark, ${name}`;

function hooked() {
  const log = join(temporaryFolder(), "log");
  return {
    log,
    hooks: { quiesce: `echo rests >> ${log}`, release: `echo released >> ${log}`, withinMs: 20_000, env },
    said: () => (existsSync(log) ? readFileSync(log, "utf8").split("\n").filter(Boolean) : []),
  };
}

/** Of what this process has started; the others were there before. */
async function killKeeper(others: readonly number[]): Promise<void> {
  const keeper = childProcessIds().find(
    (pid) => !others.includes(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("trap"),
  );
  process.kill(keeper as number, "SIGKILL");
}

const noKeeper = (release: string): string =>
  `the shell that would run '${release}' if this command were killed has ended: it was ended by SIGKILL`;

test("where the last will's shell is killed while applications come to rest they are released, and there is no mark", async () => {
  const { log, hooks, said } = hooked();
  const others = childProcessIds();
  const act = vi.fn();
  const quiesce = `echo rests >> ${log}; while :; do sleep 0.05; done; echo rested >> ${log}`;
  const marking = atRest({ ...hooks, quiesce }, { act, sentence });
  const failure = marking.catch((error: Error) => error.message);
  await whenSeen(() => expect(said()).toEqual(["rests"]));
  await killKeeper(others);
  expect(await failure).toBe(`${noKeeper(hooks.release)}: no mark was set`);
  expect([said(), act.mock.calls]).toEqual([["rests", "released"], []]);
});

test("where the last will's shell is killed while a mark is asked for, applications are released at once", async () => {
  const { hooks, said } = hooked();
  const others = childProcessIds();
  const act = async () => {
    await killKeeper(others);
    return new Promise<string>(() => {});
  };
  await expect(atRest(hooks, { act, sentence })).rejects.toThrow(
    `${noKeeper(hooks.release)}: whether the mark was set is not known`,
  );
  expect(said()).toEqual(["rests", "released"]);
});

test("where no shell can be had for the last will nothing is brought to rest", async () => {
  const { hooks, said } = hooked();
  // Longer than what the system lets a program be given.
  const release = `true ${"x".repeat(1 << 20)}`;
  await expect(atRest({ ...hooks, release }, { act: vi.fn(), sentence })).rejects.toThrow(
    /if this command were killed cannot be started: .*E2BIG.*; nothing was brought to rest$/,
  );
  expect(said()).toEqual([]);
});

test("who is interrupted while a mark is asked for releases when it is known what became of it", async () => {
  const { log, hooks, said } = hooked();
  const act = async () => {
    await Promise.resolve();
    process.emit("SIGTERM", "SIGTERM");
    // As long as a release would take.
    await runShell("true", { env, timeoutMs: patienceMs });
    await appendFile(log, "marked\n");
    return "m";
  };
  await expect(atRest(hooks, { act, sentence })).rejects.toThrow(/^interrupted: there is a mark, m$/);
  expect(said()).toEqual(["rests", "marked", "released"]);
});
