/** What the store has lost comes back from the spool of the local appliance, as long as that has it; over programs as they are. */
import { randomBytes } from "node:crypto";
import { closeSync, openSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { JobReport } from "#src/control/job.ts";
import { MiB } from "#src/core/limits.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { RunningProgram } from "./running-program.ts";

const settings = ["store.sealAfterSeconds=1", "local.spool.segment=4M", "local.spool.limit=16M"];

class World {
  readonly #folder = temporaryFolder();
  #up: RunningProgram | undefined;

  get up(): RunningProgram {
    return this.#up ?? expect.unreachable("it was started");
  }

  async start(): Promise<void> {
    const more = settings.flatMap((setting) => ["--set", setting]);
    this.#up = await RunningProgram.start("up", join(this.#folder, "data"), ...more);
    const source = join(this.#folder, "disk.img");
    await this.up.asked("volume", "add", "disk", "--source", source, "--size", "32M");
  }

  async write(firstByte: number, byteLength: number): Promise<void> {
    const [volume] = (await this.up.status()).volumes as unknown as readonly VolumeReport[];
    const client = await openVolume(volume?.uris[0] as string);
    for (let at = firstByte; at < firstByte + byteLength; at += MiB / 4) {
      await client.write(at, randomBytes(Math.min(MiB / 4, firstByte + byteLength - at)));
    }
    await client.flush();
    await client.disconnect();
    await whenSeen(async () => {
      const [group] = (await this.up.status()).remoteGroups;
      expect([group?.received, group?.stored]).toEqual([group?.durable, group?.durable]);
      expect(group?.stored).toBeGreaterThan(0);
    });
  }

  /** Bytes of a frame of the first segment. */
  damage(): string {
    const folder = join(this.#folder, "data/remote/objects/segments");
    const name = readdirSync(folder).sort()[0] as string;
    const file = openSync(join(folder, name), "r+");
    writeSync(file, randomBytes(64), 0, 64, 128 + 32 + 5_000);
    closeSync(file);
    return `segments/${name}`;
  }

  async asked(...line: readonly string[]): Promise<JobReport> {
    return (await this.up.asked(...line)) as JobReport;
  }
}

test("what a scrub finds lost comes back from the spool, while that has it, and is told as lost when it has not", async () => {
  const world = new World();
  await world.start();
  await world.write(0, 256 * 1024);
  const damaged = world.damage();
  const repaired = await world.asked("scrub");
  expect(repaired).toMatchObject({ state: "done", result: { isSound: true, findings: [] } });
  expect(repaired.result?.figures).toMatchObject({ repaired: 1, damagedBlocks: 0, findings: 0 });
  expect(repaired.result?.lines).toEqual([
    expect.stringMatching(
      new RegExp(`^${damaged}: blocks \\(\\d+\\) were lost, and came back from the spool of a local appliance$`),
    ),
  ]);
  expect((await world.asked("verify", "store")).result).toMatchObject({ isSound: true, lines: [] });

  // Over and over: the files of the spool are used again.
  for (let round = 0; round < 3; round++) await world.write(MiB, 8 * MiB);
  const again = world.damage();
  expect(again).not.toBe(damaged);
  const lost = await world.up.typed("scrub", "--json");
  const { result } = JSON.parse(lost.stdout) as JobReport;
  expect(result).toMatchObject({ isSound: false, figures: { repaired: 0 } });
  expect(result?.lines.some((line) => line.startsWith(`${again}: frames`))).toBe(true);
  expect(result?.lines.join("\n")).toContain("not repaired: no second copy of it is known");
  await world.up.program.stop();
});
