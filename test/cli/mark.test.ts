/** Marks as an operator sets them, with commands that bring applications to rest. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { MarkReport } from "#src/control/control-plane.ts";
import type { AuditReport } from "#src/control/http/audit-report.ts";
import type { ViewFacts } from "#src/control/view.ts";
import type { PointsReport } from "#src/control/volume-history.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { onceForFile } from "#test/once-for-file.ts";
import { Program } from "#test/oracle/program.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { launcher, RunningProgram } from "./running-program.ts";

const program = onceForFile(async (outlast) => {
  const folder = temporaryFolder(outlast);
  const up = await RunningProgram.startFor(outlast, "up", join(folder, "data"));
  await up.asked("volume", "add", "disk", "--source", join(folder, "disk.img"), "--size", "1M");
  return up;
});

async function started() {
  const folder = temporaryFolder();
  const up = await program();
  const log = join(folder, "log");
  writeFileSync(log, "");
  return { folder, up, log, said: () => readFileSync(log, "utf8").split("\n").filter(Boolean) };
}

/** With one more, which is waited for at the remote appliance: whatever was set before it has come there too. */
async function marksAndOneMore(up: RunningProgram): Promise<readonly number[]> {
  await up.asked("mark", "disk");
  return ((await up.asked("points", "disk")) as PointsReport).marks.map(({ seq }) => seq);
}

test("a mark is set between rest and release, which both know what they are for", async () => {
  const { up, log, said } = await started();
  const quiesce = `echo "rest $TIDEMARK_GROUP $TIDEMARK_MARK" >> ${log}`;
  const release = `echo "release $TIDEMARK_MARK" >> ${log}`;
  const line = ["mark", "disk", "--name", "m.1", "--quiesce", quiesce, "--release", release];
  const mark = (await up.asked(...line)) as MarkReport;
  expect(mark).toMatchObject({ group: "disk", name: "m.1", quiesced: true, epoch: 1 });
  expect(said()).toEqual(["rest disk m.1", "release m.1"]);
  expect((await up.status()).groups).toMatchObject([{ lastSeq: mark.seq }]);
  const { stdout } = await up.typed("mark", "disk");
  expect(stdout).toMatch(/^mark-\S+ in disk, at seq \d+, \S+Z\n$/);
});

test("a mark can be opened as soon as it is told of, also where there was one of its name", async () => {
  const { up } = await started();
  const host = await openVolume((await up.status()).volumes[0]?.uris[0] as string);
  onTestFinished(() => host.disconnect());
  for (let count = 0; count < 3; count++) {
    await host.write(0, Buffer.alloc(4096, count));
    // The remote appliance gets it a moment after it was promised.
    const { seq } = (await up.sent("POST", "/api/v1/groups/disk/marks", { name: "again" })) as MarkReport;
    const view = (await up.sent("POST", "/api/v1/views", { volume: "disk", point: "mark:again" })) as ViewFacts;
    expect(view.seq).toBe(seq);
    await up.sent("DELETE", `/api/v1/views/${view.name}`);
  }
  const { seq, arrived } = (await up.asked("mark", "disk", "--name", "awaited")) as MarkReport & { arrived: boolean };
  expect(arrived).toBe(true);
  expect((await up.status()).remoteGroups[0]?.durable).toBeGreaterThanOrEqual(seq);
  expect(await up.asked("mark", "disk", "--no-wait")).not.toHaveProperty("arrived");
});

test.each([
  ["fails", "exit 7", "'exit 7' has failed: it ended with status 7"],
  ["takes too long", "sleep 1000", "it took longer than 1 s"],
])("where the rest %s there is no mark, and a release all the same", async (_, quiesce, why) => {
  const { up, log, said } = await started();
  const before = await marksAndOneMore(up);
  const line = ["mark", "disk", "--within", "1", "--quiesce", quiesce, "--release", `echo released >> ${log}`];
  const { exitCode, stderr } = await up.typed(...line);
  expect([exitCode, said()]).toEqual([1, ["released"]]);
  expect(stderr).toContain(why);
  expect(await marksAndOneMore(up)).toEqual([...before, expect.any(Number)]);
});

test("a release that fails is said, whatever became of the mark", async () => {
  const { up } = await started();
  const { exitCode, stderr } = await up.typed("mark", "disk", "--quiesce", "true", "--release", "exit 9");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("applications may still be at rest: 'exit 9' has failed: it ended with status 9");
  expect(stderr).toMatch(/there is a mark, \S+ in disk, at seq \d+/);
});

test.each([
  ["a group that is not there", ["dsik"], 1, "there is no group 'dsik'; did you mean 'disk'?"],
  ["a name that no mark may have", ["disk", "--name", "a b"], 2, "--name takes 1 to 64 letters"],
  ["more time than there is", ["disk", "--within", "21"], 2, "from 1 to 20"],
])("for %s nothing is brought to rest", async (_, args, status, why) => {
  const { up, log, said } = await started();
  const hooks = ["--quiesce", `echo rested >> ${log}`, "--release", `echo released >> ${log}`];
  const { exitCode, stderr } = await up.typed("mark", ...args, ...hooks);
  expect([exitCode, said()]).toEqual([status, []]);
  expect(stderr).toContain(why);
});

test.each(["SIGTERM", "SIGKILL"] as const)("ended by %s at rest, the release is run", async (signal) => {
  const { folder, up, log, said } = await started();
  const resting = join(folder, "resting");
  const command = [process.execPath, launcher, "mark", "disk", "--api", up.api] as const;
  const hooks = ["--quiesce", `touch ${resting}; while :; do sleep 0.05; done`, "--release", `echo released >> ${log}`];
  const marking = new Program("mark", [...command, ...hooks, "--within", "20"]);
  onTestFinished(() => marking.kill());
  await whenSeen(() => expect(existsSync(resting)).toBe(true));
  process.kill(marking.processId, signal);
  await whenSeen(() => expect(said()).toContain("released"));
});

test("killed while applications come to rest, they do not come to rest behind the release", async () => {
  const { folder, up, log, said } = await started();
  const [resting, mayRest] = [join(folder, "resting"), join(folder, "mayRest")];
  const command = [process.execPath, launcher, "mark", "disk", "--api", up.api] as const;
  const quiesce = `echo $$ > ${resting}; until test -e ${mayRest}; do sleep 0.05; done; echo rested >> ${log}`;
  const hooks = ["--quiesce", quiesce, "--release", `echo released >> ${log}`];
  const marking = new Program("mark", [...command, ...hooks, "--within", "20"]);
  onTestFinished(() => marking.kill());
  await whenSeen(() => expect(readFileSync(resting, "utf8")).toMatch(/\n$/));
  const processId = Number(readFileSync(resting, "utf8"));
  process.kill(marking.processId, "SIGKILL");
  await whenSeen(() => expect(said()).toContain("released"));
  writeFileSync(mayRest, "");
  await whenSeen(() => expect(() => process.kill(processId, 0)).toThrow("ESRCH"));
  expect(said()).toEqual(["released"]);
});

test("what was asked for at rest is no mark any more when the program comes to it behind the release", async () => {
  const { up, log, said } = await started();
  const before = await marksAndOneMore(up);
  const hooks = ["--quiesce", `kill -STOP ${up.program.processId}`, "--release", `echo released >> ${log}`];
  const { exitCode, stderr } = await up
    .typed("mark", "disk", "--name", "late", "--within", "2", ...hooks)
    .finally(() => up.program.thaw());
  expect([exitCode, said()]).toEqual([1, ["released"]]);
  expect(stderr).toContain("no answer in time");
  let outcome: number | undefined;
  await whenSeen(async () => {
    const { entries } = (await up.got("/api/v1/audit")).body as AuditReport;
    outcome = entries.find(({ order }) => order?.name === "late")?.status;
    expect(outcome).toBeTypeOf("number");
  });
  expect(outcome).toBe(503);
  expect(await marksAndOneMore(up)).toEqual([...before, expect.any(Number)]);
});

test("what rests has to be taken up again", async () => {
  const { up } = await started();
  const { exitCode, stderr } = await up.typed("mark", "disk", "--quiesce", "true");
  expect([exitCode, stderr.includes("given together")]).toEqual([2, true]);
});
