/** Tokens, the audit log and events of a program that runs, as operators meet them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "#test/clients/command.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { Program } from "#test/oracle/program.ts";
import { launcher, RunningProgram } from "./running-program.ts";

test("tokens open what they may, orders are told of as they come, and all of it is there after a restart", async () => {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  const adminFile = join(folder, "admin");
  const source = join(folder, "disk.img");
  const guarded = ["--set", "http.withoutToken=nothing"];

  const open = await RunningProgram.start("up", data);
  writeFileSync(adminFile, (await open.typed("token", "add", "boss", "--role", "admin")).stdout);
  const refusedTwice = await open.typed("token", "add", "boss", "--role", "read");
  expect([refusedTwice.exitCode, refusedTwice.stderr]).toEqual([1, expect.stringContaining("token rm boss")]);
  await open.program.stop();

  const up = await RunningProgram.start("up", data, ...guarded);
  const asAdmin = ["--token-file", adminFile];
  const without = await up.typed("volume", "ls");
  expect([without.exitCode, without.stderr]).toEqual([1, expect.stringContaining("a token is needed")]);
  const readFile = join(folder, "read");
  writeFileSync(readFile, (await up.typed("token", "add", "watcher", "--role", "read", ...asAdmin)).stdout);

  const following = [launcher, "events", "--follow", "--json", "--token-file", readFile];
  const events = new Program("events", [process.execPath, ...following, "--api", up.api]);
  await events.line((text) => text.includes("/api/v1/tokens"));
  const added = up.typed("volume", "add", "v", "--source", source, "--size", "8M", ...asAdmin);
  await events.line((text) => text.includes('"kind":"volume"') && text.includes('"state":"open"'));
  expect((await added).exitCode).toBe(0);
  await up.typed("mark", "v", "--name", "m", ...asAdmin);
  expect(JSON.parse(await events.line((text) => text.includes('"kind":"mark"')))).toMatchObject({
    facts: { name: "m" },
  });

  const denied = await up.typed("mark", "v", "--name", "n", "--token-file", readFile);
  expect([denied.exitCode, denied.stderr]).toEqual([1, expect.stringContaining("one may read")]);
  // The token is taken away: whoever listens with it ends, and says why.
  await up.typed("token", "rm", "watcher", ...asAdmin);
  expect(await events.ended).toMatchObject({ code: 1 });
  expect(events.stderr).toContain("the token does not hold any more; trying again");
  expect(events.stderr).toContain("the token is not known");

  const { stdout } = await run(process.execPath, [launcher, "audit", "--api", up.api, ...asAdmin]);
  expect(stdout).toMatch(/local .*POST \/api\/v1\/tokens .*201/);
  expect(stdout).toMatch(/boss .*POST \/api\/v1\/volumes .*201/);
  expect(stdout).toMatch(/GET \/api\/v1\/volumes .*401 .*a token is needed/);
  await up.program.stop();
});
