/** Kills of the whole program in the middle of restores, of writes to views, of their copies, and of drills. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { DrillReport } from "#src/control/drill.ts";
import type { JobReport } from "#src/control/job.ts";
import type { ViewFacts } from "#src/control/view.ts";
import { MiB } from "#src/core/limits.ts";
import { viewLeaseMs } from "#src/core/view-limits.ts";
import { launcher, RunningProgram } from "#test/cli/running-program.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { noise } from "#test/clients/image.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { shareOf } from "#test/long-share.ts";
import { Program } from "#test/oracle/program.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

needPrograms("setpriv");

const blockBytes = 4096;
const lifeMsMax = 2000;

async function started(folder: string): Promise<RunningProgram> {
  return RunningProgram.start("up", join(folder, "data"), "--set", "store.sealAfterSeconds=1");
}

/** A program with a volume of 48 MiB, half full, and a mark before its last writes. */
async function withHistory() {
  const folder = temporaryFolder();
  const up = await started(folder);
  const source = join(folder, "disk.img");
  const { uris } = (await up.asked("volume", "add", "disk", "--source", source, "--size", "48M")) as VolumeReport;
  const host = await openVolume(uris[0] as string);
  for (let piece = 0; piece < 24; piece++) await host.write(2 * piece * MiB, noise(MiB, piece + 1));
  await host.flush();
  await up.asked("mark", "disk", "--name", "early");
  const early = readFileSync(source);
  for (let piece = 0; piece < 24; piece += 3) await host.write(2 * piece * MiB, noise(MiB / 2, 100 + piece));
  await host.flush();
  await host.disconnect();
  await up.asked("mark", "disk", "--name", "late");
  // A mark is told of when it is as safe as a flush, and the remote appliance has it a moment later.
  await up.whenAllArrived();
  return { up, folder, early };
}

/** What a view is to hold: its point, and what a flush has promised of what was written to it. */
interface WrittenView {
  readonly name: string;
  readonly content: Buffer;
  /** Where it is copied to. */
  readonly copy: string;
}

async function writtenView(up: RunningProgram, point: Buffer, folder: string, round: number): Promise<WrittenView> {
  const name = `view-${round}`;
  const { uri } = (await up.asked("view", "open", "disk@mark:early", "--writable", "--name", name)) as ViewFacts;
  const client = await openVolume(uri);
  const content = Buffer.from(point);
  for (let index = 0; index < 8; index++) {
    const at = (index * 97 + round) * blockBytes;
    const bytes = noise(blockBytes, 1000 * round + index);
    await client.write(at, bytes);
    bytes.copy(content, at);
  }
  await client.flush();
  await client.disconnect();
  return { name, content, copy: join(folder, `${name}.img`) };
}

async function copied(up: RunningProgram, { name, copy }: WrittenView): Promise<void> {
  await up.sent("POST", `/api/v1/views/${name}/copies`, { target: copy });
}

async function jobsOf(up: RunningProgram): Promise<readonly JobReport[]> {
  return ((await up.asked("job", "ls")) as { readonly jobs: readonly JobReport[] }).jobs;
}

/** What is told to be done must be whole at that moment, whenever somebody looks. */
async function checkDone(up: RunningProgram, wanted: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const { state, restore, result } of await jobsOf(up)) {
    expect(state).not.toBe("failed");
    if (state !== "done" || restore === undefined) continue;
    expect(result?.isSound).toBe(true);
    expect(readFileSync(restore.target).equals(wanted.get(restore.target) as Buffer), restore.target).toBe(true);
  }
}

test("faults 7 and 9: restores and copies of views that are killed again and again go on, and nothing half passes for done", async () => {
  const history = await withHistory();
  const { folder, early } = history;
  let { up } = history;
  const random = new SeededRandom(11);
  const wanted = new Map<string, Buffer>();
  const views: WrittenView[] = [];
  for (let round = 1; round <= shareOf(20); round++) {
    const target = join(folder, `round-${round}.img`);
    wanted.set(target, early);
    const { id } = (await up.asked("restore", "disk@mark:early", "--to", target, "--no-wait")) as JobReport;
    const view = await writtenView(up, early, folder, round);
    views.push(view);
    wanted.set(view.copy, view.content);
    if (random.chance(0.7)) await copied(up, view);
    await pause(random.integerBelow(lifeMsMax));
    // It may be over, or waits: then it holds nothing of the point, and goes on in the end.
    if (random.chance(0.4)) await up.typed("job", "cancel", String(id));
    await up.program.kill();
    up = await started(folder);
    await checkDone(up, wanted);
  }
  for (const view of views) await copied(up, view);
  for (const target of wanted.keys()) {
    const isCancelled = (await jobsOf(up)).some(
      ({ state, restore }) => state === "cancelled" && restore?.target === target,
    );
    // Without a word about what the target holds by then.
    if (isCancelled) await up.asked("restore", "disk@mark:early", "--to", target, "--no-wait");
  }
  await whenSeen(async () => {
    expect((await jobsOf(up)).every(({ state }) => state === "done" || state === "cancelled")).toBe(true);
  });
  await checkDone(up, wanted);
  for (const [target, content] of wanted) expect(readFileSync(target).equals(content), target).toBe(true);
  // What was promised of a view is there, also when it is opened again.
  for (const { name, content } of views) {
    const { uri } = (await up.asked("view", "open", name)) as ViewFacts;
    const client = await openVolume(uri);
    expect((await client.read(0, 8 * MiB)).equals(content.subarray(0, 8 * MiB))).toBe(true);
    await client.disconnect();
    await up.asked("view", "close", name, "--discard");
  }
  await whenSeen(() => expect(readdirSync(join(folder, "data/remote/restores"))).toEqual([]));
});

test("a drill that is killed with all of the program leaves no report, and no view for long", async (context) => {
  if (shareOf(2) < 2) context.skip("it takes as long as a lease lasts");
  const { up, folder } = await withHistory();
  const command = `echo > ${join(folder, "begun")}; sleep 600`;
  const drill = new Program("drill", [process.execPath, launcher, "drill", "disk", "--api", up.api, "--", command]);
  await whenSeen(() => expect(existsSync(join(folder, "begun"))).toBe(true));
  await Promise.all([up.program.kill(), drill.kill()]);
  const again = await started(folder);
  const listed = async () => ((await again.asked("view", "ls")) as { readonly views: readonly ViewFacts[] }).views;
  expect(await listed()).toMatchObject([{ leased: true }]);
  await vi.waitFor(async () => expect(await listed()).toEqual([]), { timeout: viewLeaseMs + 30_000, interval: 1000 });
  const { drills } = (await again.asked("drill", "ls")) as { readonly drills: readonly DrillReport[] };
  expect(drills).toEqual([]);
});
