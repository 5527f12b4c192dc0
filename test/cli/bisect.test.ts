/** Bisect and drill as operators type them, over processes as they are. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { DrillReport } from "#src/control/drill.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { onceForFile } from "#test/once-for-file.ts";
import { Program } from "#test/oracle/program.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { launcher, RunningProgram } from "./running-program.ts";

needPrograms("nbdcopy", "qemu-io");

const writeCount = 12;

/** A disk of which the first block counts writes; answers the seq behind each. Nobody writes to it any more. */
const countedDisk = onceForFile(async (outlast) => {
  const folder = temporaryFolder(outlast);
  const up = await RunningProgram.startFor(outlast, "up", join(folder, "data"));
  const add = ["volume", "add", "disk", "--source", join(folder, "disk.img"), "--size", "1M"];
  const { uris } = (await up.asked(...add)) as VolumeReport;
  const host = await openVolume(uris[0] as string);
  const seqs: number[] = [];
  for (let count = 1; count <= writeCount; count++) {
    await host.write(0, Buffer.alloc(4096, count));
    await host.flush();
    seqs.push((await up.status()).groups[0]?.lastSeq ?? 0);
  }
  await host.disconnect();
  await whenSeen(async () => {
    expect((await up.status()).remoteGroups[0]?.durable).toBeGreaterThanOrEqual(seqs.at(-1) as number);
  });
  return { up, seqs };
});

/** What stands behind `--` is the command's. */
async function tried(up: RunningProgram, line: readonly string[], command: readonly string[]) {
  return up.typed(...line, "--api", up.api, "--", ...command);
}

async function answered(up: RunningProgram, line: readonly string[], command: string): Promise<unknown> {
  const { stdout, stderr } = await tried(up, [...line, "--json"], [command]);
  expect(stdout, stderr).not.toBe("");
  return JSON.parse(stdout);
}

/** Good as long as the first byte is less than this; spoils the view, which must not matter. */
function lessThan(value: number): string {
  const byte = 'nbdcopy "$TIDEMARK_URI" - | od -An -tu1 -N1';
  return `qemu-io -f raw -c "write -P 255 4096 4096" "$TIDEMARK_URI" >&2; test "$(${byte})" -lt ${value}`;
}

test("bisect finds the very write from which on something is wrong", async () => {
  const { up, seqs } = await countedDisk();
  const good = `seq:${seqs[0]}`;
  const found = (await answered(up, ["bisect", "disk", "--good", good], lessThan(9))) as {
    readonly good: { readonly seq: number };
    readonly bad: { readonly seq: number };
  };
  // The flush behind the eighth write is good, and the next record is the ninth write.
  expect(found.good.seq).toBe(seqs[7]);
  expect(found.bad.seq).toBeGreaterThan(seqs[7] as number);
  expect(found.bad.seq).toBeLessThanOrEqual(seqs[8] as number);
  const wrong = await tried(up, ["bisect", "disk", "--good", "now"], [lessThan(9)]);
  expect([wrong.exitCode, wrong.stderr]).toEqual([1, expect.stringContaining("was to be good")]);
  const unsure = await tried(up, ["bisect", "disk", "--good", good], ["exit 125"]);
  expect([unsure.exitCode, unsure.stderr]).toEqual([1, expect.stringContaining("cannot tell")]);
  expect((await up.typed("view", "ls")).stdout).toBe("no views\n");
});

test("a drill proves a point or says why not, and leaves nothing but its report", async () => {
  const { up, seqs } = await countedDisk();
  const proven = (await answered(up, ["drill", "disk", "--at", `seq:${seqs[0]}`], lessThan(2))) as DrillReport;
  expect(proven).toMatchObject({ id: 1, volume: "disk", seq: seqs[0], outcome: "proven", by: "operator" });
  const failed = await tried(up, ["drill", "disk"], [lessThan(2)]);
  expect([failed.exitCode, failed.stdout]).toEqual([1, expect.stringContaining("has failed: it ended with status 1")]);
  const late = await tried(up, ["drill", "disk", "--within", "1"], ["sleep", "60"]);
  expect([late.exitCode, late.stdout]).toEqual([1, expect.stringContaining("it took longer than 1 s")]);
  const { drills } = (await up.asked("drill", "ls")) as { readonly drills: readonly DrillReport[] };
  expect(drills.map(({ outcome, point }) => [outcome, point])).toEqual([
    ["proven", true],
    ["failed", true],
    ["failed", true],
  ]);
  expect((await up.typed("view", "ls")).stdout).toBe("no views\n");
});

test("the command of a drill that is killed ends with it, and its view is one that goes", async () => {
  const folder = temporaryFolder();
  const { up } = await countedDisk();
  const told = join(folder, "told");
  const command = `echo $$ > ${told}.new && mv ${told}.new ${told}; sleep 600`;
  const drill = new Program("drill", [process.execPath, launcher, "drill", "disk", "--api", up.api, "--", command]);
  await whenSeen(() => expect(existsSync(told)).toBe(true));
  const shell = Number(readFileSync(told, "utf8"));
  expect((await up.typed("view", "ls")).stdout).toContain("open, as long as its command runs");
  await drill.kill();
  await whenSeen(() => expect(existsSync(`/proc/${shell}`)).toBe(false));
});
