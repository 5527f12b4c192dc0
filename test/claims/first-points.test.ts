/** What is offered of a volume that is being taken in: nothing, until all of its source is there. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { JobReport } from "#src/control/job.ts";
import { blockBytes, MiB } from "#src/core/limits.ts";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { RunningProgram } from "#test/cli/running-program.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const sizeBytes = 8 * MiB;

/** Also where the copy has been, and where it has not. */
async function writeAbout(client: NbdClient, random: SeededRandom): Promise<void> {
  for (let count = 0; count < 40; count++) {
    const block = random.integerBelow(sizeBytes / blockBytes);
    await client.write(block * blockBytes, random.bytes(blockBytes));
  }
  await client.flush();
}

test("claim A1: until the first copy is complete no point is offered, and the first one is the source byte by byte", async () => {
  const random = new SeededRandom(17);
  const folder = temporaryFolder();
  const source = join(folder, "disk.img");
  writeFileSync(source, random.bytes(sizeBytes));
  const slow = await RunningProgram.start("up", join(folder, "data"), "--set", "copy.bytesPerSecond=64K");
  const { uris } = (await slow.asked("volume", "add", "disk", "--source", source)) as VolumeReport;
  const host = await openVolume(uris[0] as string);
  await writeAbout(host, random);
  await host.disconnect();
  const target = join(folder, "restored.img");
  const asks = async (up: RunningProgram, seq: number) => [
    await up.typed("view", "open", "disk@now"),
    await up.typed("view", "open", `disk@seq:${seq}`),
    await up.typed("restore", "disk@now", "--to", target),
    await up.typed("mark", "disk", "--name", "early"),
  ];
  const seq = (await slow.status()).groups[0]?.lastSeq as number;
  for (const { exitCode, stdout, stderr } of await asks(slow, seq)) {
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/being copied/);
  }
  expect(existsSync(target)).toBe(false);
  expect((await slow.typed("points", "disk")).stdout).toContain("no points: the first copy is under way");
  await slow.program.stop();

  const up = await RunningProgram.start("up", join(folder, "data"));
  await whenSeen(async () => {
    const { volumes, groups } = await up.status();
    expect(volumes).toMatchObject([{ state: "open", baseMissing: false }]);
    expect(groups).toMatchObject([{ lagRecords: 0 }]);
  });
  const content = readFileSync(source);
  const job = (await up.asked("restore", "disk@now", "--to", target)) as JobReport;
  expect(job).toMatchObject({ state: "done", result: { isSound: true } });
  expect(readFileSync(target).equals(content)).toBe(true);
  // What lies within the copy is none, now as then.
  expect((await up.typed("view", "open", `disk@seq:${seq}`)).exitCode).toBe(1);
  await up.program.stop();
});
