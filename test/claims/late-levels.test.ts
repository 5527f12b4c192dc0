/** Claim A9: levels that are switched while the remote appliance is away; what arrives late is of the level that it was written at. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { JobReport } from "#src/control/job.ts";
import { recordType } from "#src/records/record.ts";
import { launcher } from "#test/cli/running-program.ts";
import { run } from "#test/clients/command.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryPlaces } from "#test/kill/rounds.ts";
import { stampedBytes as blockBytes } from "#test/oracle/block-stamp.ts";
import { typeNumber } from "#test/oracle/log-file-reader.ts";
import { type RoleName, Sites, volumeName } from "#test/oracle/sites.ts";
import { whenSeen } from "#test/patience.ts";

needPrograms("setpriv");

const blockCount = 16;

class LevelledVolume {
  readonly sites: Sites;
  /** What the volume held after each write. */
  readonly states: Buffer[] = [];

  constructor(sites: Sites) {
    this.sites = sites;
  }

  async write(count: number): Promise<void> {
    const client = await this.sites.connect();
    for (let index = 0; index < count; index++) {
      const number = this.states.length + 1;
      const state = Buffer.from(this.states.at(-1) ?? Buffer.alloc(blockCount * blockBytes));
      const block = (number * 7) % blockCount;
      state.fill(number, block * blockBytes, (block + 1) * blockBytes);
      await client.write(block * blockBytes, state.subarray(block * blockBytes, (block + 1) * blockBytes));
      this.states.push(state);
    }
    await client.disconnect();
  }

  typed(role: RoleName, ...line: readonly string[]) {
    return run(process.execPath, [launcher, ...line, "--api", this.sites.api(role)]);
  }

  async level(level: string): Promise<void> {
    const { exitCode, stderr } = await this.typed("local", "level", volumeName, level);
    expect([exitCode, stderr]).toEqual([0, ""]);
  }

  async stored(): Promise<void> {
    const { lastSeq } = await this.sites.calm();
    // What the group has recorded since, of its own, may be stored by then too.
    await whenSeen(async () => expect((await this.sites.remoteGroup()).stored).toBeGreaterThanOrEqual(lastSeq));
  }

  restore(seq: number, target: string) {
    return this.typed("remote", "restore", `${volumeName}@seq:${seq}`, "--to", target);
  }
}

test("claim A9: what was written at the first level and arrives late is taken in its order, and each of it stays a point", async () => {
  const places = await temporaryPlaces();
  const store = {
    sealAfterSeconds: 1,
    retention: { levels: "none", keepSeconds: "off" },
    collect: { everySeconds: "off", graceSeconds: 0 },
    snapshots: { everySeconds: "off" },
  };
  const sites = await Sites.make({ mode: "async", sizeBytes: blockCount * blockBytes, places, settings: { store } });
  const volume = new LevelledVolume(sites);
  await volume.write(10);
  await volume.stored();
  await sites.stop("remote");
  await volume.write(10);
  await volume.level("1h");
  await volume.write(60);
  await volume.level("every-write");
  await volume.write(10);
  await sites.start("remote");
  await volume.stored();
  // The newest piece is not folded.
  await volume.write(5);
  await volume.stored();
  const seqs: number[] = [];
  {
    using replay = sites.remoteReplay();
    const kinds = replay.records.filter(({ type }) => type === typeNumber.write || type === recordType.level);
    const levelsAt = kinds.flatMap(({ type }, index) => (type === recordType.level ? index : []));
    // Each switch lies where it was asked for, however late all of it came.
    expect(levelsAt.slice(0, 1)).toEqual([20]);
    expect(kinds.slice(21).findIndex(({ type }) => type === recordType.level)).toBe(60);
    seqs.push(...kinds.flatMap(({ type, seq }) => (type === typeNumber.write ? seq : [])));
  }
  expect(seqs).toHaveLength(95);
  const { stdout } = await volume.typed("remote", "collect", "--json");
  expect((JSON.parse(stdout) as JobReport).result?.figures.foldedPieces).toBeGreaterThan(0);
  for (const number of [10, 11, 15, 20, 81, 90]) {
    const target = join(places.folder, `${number}.img`);
    const { exitCode, stderr } = await volume.restore(seqs[number - 1] as number, target);
    expect([number, exitCode, stderr]).toEqual([number, 0, expect.stringContaining(`seq:${seqs[number - 1]} of`)]);
    expect([number, readFileSync(target).equals(volume.states[number - 1] as Buffer)]).toEqual([number, true]);
  }
  const { exitCode, stderr } = await volume.restore(seqs[50] as number, join(places.folder, "none.img"));
  expect(exitCode).toBe(1);
  expect(stderr).toContain("nearest points are");
});
