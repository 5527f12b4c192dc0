/** Points of a volume, told by command; and each read beside the running program as an independent replay says that it was. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { PointReaders } from "#src/control/point-readers.ts";
import type { PointsReport, TimelineReport } from "#src/control/volume-history.ts";
import { blockBytes } from "#src/core/limits.ts";
import { nodeMachine } from "#src/host/node/machine.ts";
import type { GroupPoints } from "#src/synth/group-points.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { JournalReplay } from "#test/oracle/journal-replay.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { rememberingLog } from "#test/store/remembering-log.ts";
import { RunningProgram } from "./running-program.ts";

const blockCount = 256;

class PointsWorld {
  readonly folder = temporaryFolder();
  readonly data = join(this.folder, "data");
  readonly random = new SeededRandom(11);
  up!: RunningProgram;
  #uri = "";

  async start(): Promise<void> {
    this.up = await RunningProgram.start("up", this.data, "--set", "store.sealAfterSeconds=1");
    const size = String(blockCount * blockBytes);
    const add = ["volume", "add", "disk", "--source", join(this.folder, "disk.img"), "--size", size];
    this.#uri = ((await this.up.asked(...add)) as VolumeReport).uris[0] as string;
  }

  /** Some are trims, and some longer than a block. */
  async write(count: number): Promise<void> {
    const client = await openVolume(this.#uri);
    for (let index = 0; index < count; index++) {
      const block = this.random.integerBelow(blockCount - 4);
      const lengthBytes = this.random.pick([1, 1, 1, 4]) * blockBytes;
      const bytes = Buffer.alloc(lengthBytes, 1 + this.random.integerBelow(255));
      bytes.writeUInt32LE(this.random.integerBelow(2 ** 32), 0);
      if (this.random.chance(0.1)) await client.trim(block * blockBytes, lengthBytes);
      else await client.write(block * blockBytes, bytes);
    }
    await client.flush();
    await client.disconnect();
    await this.up.whenAllArrived();
  }

  async stored(): Promise<void> {
    await whenSeen(async () => {
      const { groups, remoteGroups } = await this.up.status();
      expect(remoteGroups[0]?.stored).toBe(groups[0]?.lastSeq);
    });
  }

  get group(): string {
    return readdirSync(join(this.data, "remote/groups"))[0] as string;
  }
}

/** Blocks of the volume at this point that are not as the records say. */
async function differences(points: GroupPoints, replay: JournalReplay, seq: number): Promise<string[]> {
  const image = await points.open(1, seq);
  const bytes = Buffer.alloc(blockCount * blockBytes);
  const damaged = await image.read(0, blockCount, bytes, 0);
  const content = replay.contentOf(1, seq);
  const found = damaged.map((block) => `block ${block} is damaged at ${seq}`);
  for (let block = 0; block < blockCount; block++) {
    const origin = content.get(block);
    const wanted = origin === undefined ? Buffer.alloc(blockBytes) : replay.bytesOf(origin);
    if (!bytes.subarray(block * blockBytes, (block + 1) * blockBytes).equals(wanted))
      found.push(`block ${block} at ${seq}`);
  }
  image.close();
  return found;
}

test("points read as a replay says, sealed or not, and are told by command", async () => {
  const world = new PointsWorld();
  await world.start();
  await world.write(150);
  await world.up.asked("mark", "disk", "--name", "before");
  await world.stored();
  await world.up.asked("snapshot", "create", "disk");
  await world.write(150);
  await world.stored();
  await world.up.asked("mode", "disk", "aggregated");
  await world.write(100);
  await world.up.asked("mode", "disk", "async");
  await world.write(60);
  const remote = join(world.data, "remote");
  const place = { storeFolder: join(remote, "objects"), groupsFolder: join(remote, "groups"), wrappingKey: undefined };
  const readers = new PointReaders(nodeMachine(rememberingLog([])), place);
  const { durable = 0 } = (await world.up.status()).remoteGroups[0] ?? {};
  const points = await readers.of(world.group, durable);
  const replay = new JournalReplay({ remote });
  // With the first record the volume joins, and nothing is known of its content.
  const seqs = new Set(replay.records.slice(1).map(({ seq, aggregate }) => aggregate?.lastSeq ?? seq));
  const lastSeq = points.newestSeq;
  expect(lastSeq).toBe(replay.remoteLastSeq);
  for (let count = 0; count < 100; count++) {
    expect(await differences(points, replay, world.random.pick([...seqs]))).toEqual([]);
  }
  replay[Symbol.dispose]();
  await readers.close();
  const report = (await world.up.asked("points", "disk")) as PointsReport;
  expect(report.newest?.seq).toBe(lastSeq);
  expect(report.marks).toMatchObject([{ name: "before", point: true, quiesced: false }]);
  expect(report.snapshots).toHaveLength(1);
  const kinds = report.ranges.filter(({ kind }) => kind === "points").map(({ granularity }) => granularity);
  expect(kinds).toEqual(["every-write", "aggregate", "every-write"]);
  const behind = (await world.up.asked(
    "points",
    "disk",
    "--from",
    "mark:before",
    "--to",
    "mark:before",
  )) as PointsReport;
  expect(behind.ranges).toHaveLength(1);
  const { events } = (await world.up.asked("timeline", "disk")) as TimelineReport;
  expect(events.filter(({ type }) => type === "mode").map(({ says }) => says.to)).toEqual(["aggregated", "async"]);
  const table = await world.up.typed("points", "disk");
  expect(table.stdout).toMatch(/every write\n.*every aggregate\n.*every write\n/);
  const timeline = await world.up.typed("timeline", "disk");
  expect(timeline.stdout).toMatch(
    /volume disk of 1048576 bytes joins[\s\S]*mark before[\s\S]*mode aggregated, before async/,
  );
  await world.up.program.stop();
});
