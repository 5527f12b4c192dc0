/** Snapshots of a volume of some size, by the program itself: what a later one is made of, and what it needs of the past. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { JobReport } from "#src/control/job.ts";
import type { MadeSnapshot, SnapshotFacts } from "#src/control/snapshot-facts.ts";
import type { ViewFacts } from "#src/control/view.ts";
import { blockBytes } from "#src/core/limits.ts";
import type { SnapshotDescriptionItem } from "#src/synth/snapshot-description.ts";
import { RunningProgram } from "#test/cli/running-program.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { filesUnder } from "#test/oracle/log-file-reader.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

needPrograms("setpriv");

const blockCount = 4096;
const depth = 32;

/** A volume whose content is known. Nothing of its history is made or goes by itself. */
class KnownVolume {
  readonly folder = temporaryFolder();
  readonly wanted = Buffer.alloc(blockCount * blockBytes);
  up!: RunningProgram;
  readonly #random = new SeededRandom(19);
  #uri = "";

  async start(): Promise<void> {
    const settings = ["store.sealAfterSeconds=1", "store.retention.keepSeconds=1", "store.retention.levels=none"];
    settings.push("store.collect.everySeconds=off", "store.collect.graceSeconds=0");
    settings.push("store.snapshots.everySeconds=off", "store.snapshots.everyRecords=off");
    const line = settings.flatMap((setting) => ["--set", setting]);
    this.up = await RunningProgram.start("up", join(this.folder, "data"), ...line);
    const source = join(this.folder, "disk.img");
    const add = ["volume", "add", "disk", "--source", source, "--size", String(this.wanted.length)];
    this.#uri = ((await this.up.asked(...add)) as VolumeReport).uris[0] as string;
  }

  /** Every other block below this one, each by a write of its own and with content of its own; waits until it is stored. */
  async write(belowBlock: number): Promise<void> {
    const client = await openVolume(this.#uri);
    let written: Promise<void>[] = [];
    for (let block = 0; block < belowBlock; block += 2) {
      const bytes = this.#random.bytes(blockBytes);
      bytes.copy(this.wanted, block * blockBytes);
      written.push(client.write(block * blockBytes, bytes));
      if (written.length < depth) continue;
      await Promise.all(written);
      written = [];
    }
    await Promise.all(written);
    await client.flush();
    await client.disconnect();
    await whenSeen(async () => {
      const { remoteGroups, groups } = await this.up.status();
      expect(remoteGroups[0]?.stored).toBe(groups[0]?.lastSeq);
    });
  }

  async snapshot(): Promise<MadeSnapshot> {
    return (await this.up.asked("snapshot", "create", "disk")) as MadeSnapshot;
  }

  async collect(): Promise<void> {
    expect(await this.up.asked("collect")).toMatchObject({ state: "done", result: { isSound: true } });
  }

  async restored(point: string): Promise<Buffer> {
    const target = join(this.folder, `${point.replaceAll(":", "-")}.img`);
    const job = (await this.up.asked("restore", `disk@${point}`, "--to", target)) as JobReport;
    expect(job).toMatchObject({ state: "done", result: { isSound: true } });
    return readFileSync(target);
  }

  storedBytes(folder: string): number {
    const paths = filesUnder(join(this.folder, "data/remote/objects", folder));
    return paths.reduce((sum, path) => sum + statSync(path).size, 0);
  }
}

test("claims A8 and C1: a second snapshot points into the journal and into the first one, and reads as the volume was", async () => {
  const world = new KnownVolume();
  await world.start();
  await world.write(blockCount);
  const first = await world.snapshot();
  const firstWanted = Buffer.from(world.wanted);
  await world.write(200);
  const payloadBytes = world.storedBytes("segments");
  const second = await world.snapshot();
  expect(second).toMatchObject({ isNew: true, madeOf: first.seq });
  expect(world.storedBytes("segments")).toBe(payloadBytes);
  const { items } = (await world.up.asked("snapshot", "inspect", "disk", String(second.seq))) as {
    readonly items: readonly SnapshotDescriptionItem[];
  };
  expect(items).toContainEqual(expect.objectContaining({ kind: "pointers", into: "journal", level: 0 }));
  expect(items).toContainEqual(expect.objectContaining({ kind: "pointers", into: "snapshot", seq: first.seq }));
  const secondWanted = Buffer.from(world.wanted);
  await world.write(100);
  expect((await world.restored(`seq:${first.seq}`)).equals(firstWanted)).toBe(true);
  expect((await world.restored(`seq:${second.seq}`)).equals(secondWanted)).toBe(true);
  await world.up.program.stop();
});

test("claim A10: with the first snapshot and the journal before it gone the second reads every byte, and room comes back", async () => {
  const world = new KnownVolume();
  await world.start();
  await world.write(blockCount);
  const first = await world.snapshot();
  await world.write(3000);
  const second = await world.snapshot();
  const secondWanted = Buffer.from(world.wanted);
  // What a view holds does not expire; all before it does.
  const view = (await world.up.asked("view", "open", `disk@seq:${second.seq}`)) as ViewFacts;
  await world.write(400);
  const before = { segments: world.storedBytes("segments"), pieces: world.storedBytes("pieces") };
  await world.up.asked("snapshot", "rm", "disk", String(first.seq));
  const beginning = async () => (await world.up.status()).store?.state?.windows?.[0]?.fromSeq ?? 0;
  // Time has to be seen to pass.
  await whenSeen(async () => {
    await world.collect();
    expect(await beginning()).toBeGreaterThan(first.seq);
  });
  await world.collect();
  expect(await beginning()).toBeLessThanOrEqual(second.seq);
  expect(world.storedBytes("segments")).toBeLessThan(0.75 * before.segments);
  expect(world.storedBytes("pieces")).toBeLessThan(0.75 * before.pieces);
  const { snapshots } = (await world.up.asked("snapshot", "ls", "disk")) as {
    readonly snapshots: readonly SnapshotFacts[];
  };
  expect(snapshots.map(({ seq }) => seq)).toEqual([second.seq]);
  expect((await world.up.typed("restore", `disk@seq:${first.seq}`, "--to", "/none")).exitCode).toBe(1);
  expect((await world.restored(`seq:${second.seq}`)).equals(secondWanted)).toBe(true);
  expect((await world.restored("now")).equals(world.wanted)).toBe(true);
  await world.up.asked("view", "close", view.name);
  await world.up.program.stop();
});
