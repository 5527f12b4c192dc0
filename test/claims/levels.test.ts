/** Claim A9: a second level of granularity, switched live; and what a collection leaves of its points, over processes as they are. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { JobReport } from "#src/control/job.ts";
import { blockBytes } from "#src/core/limits.ts";
import { nodeMachine } from "#src/host/node/machine.ts";
import { sealedRecords } from "#src/journals/sealed-records.ts";
import { recordType } from "#src/records/record.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import { seqsOfSnapshots } from "#src/synth/history-names.ts";
import { Snapshot } from "#src/synth/snapshot.ts";
import { RunningProgram } from "#test/cli/running-program.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { putStamp, readStamp } from "#test/oracle/block-stamp.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { rememberingLog } from "#test/store/remembering-log.ts";

needPrograms("setpriv");

const blockCount = 16;

class StampedVolume {
  readonly data = join(temporaryFolder(), "data");
  up!: RunningProgram;
  /** Of each write in turn. */
  readonly #blocks: number[] = [];

  async start(): Promise<void> {
    const settings = ["store.sealAfterSeconds=1", "store.retention.levels=none", "store.collect.graceSeconds=0"];
    const all = [...settings, "store.retention.keepSeconds=off", "store.snapshots.everySeconds=off"];
    this.up = await RunningProgram.start("up", this.data, ...all.flatMap((setting) => ["--set", setting]));
    const source = join(this.data, "../disk.img");
    await this.up.asked("volume", "add", "disk", "--source", source, "--size", String(blockCount * blockBytes));
  }

  /** All of it is sealed then. */
  async write(count: number): Promise<void> {
    const volume = (await this.up.got("/api/v1/volumes/disk")).body as VolumeReport;
    const client = await openVolume(volume.uris[0] as string);
    for (let index = 0; index < count; index++) {
      const block = (this.#blocks.length * 7) % blockCount;
      this.#blocks.push(block);
      const bytes = Buffer.alloc(blockBytes);
      putStamp(bytes, 0, { volume: 1, block, number: this.#blocks.length });
      await client.write(block * blockBytes, bytes);
    }
    await client.flush();
    await client.disconnect();
    await whenSeen(async () => {
      const { remoteGroups, groups } = await this.up.status();
      expect(remoteGroups[0]?.stored).toBe(groups[0]?.lastSeq);
    });
  }

  async collect(): Promise<JobReport> {
    const { id } = (await this.up.asked("collect")) as JobReport;
    return await whenSeen(async () => {
      const job = (await this.up.asked("job", "show", String(id))) as JobReport;
      expect(job.state).toBe("done");
      return job;
    });
  }

  /** The stamps that the newest snapshot leads to. */
  async snapshotState(): Promise<Map<number, number>> {
    const { objects, blocks, group } = await this.#store();
    const seq = (await seqsOfSnapshots(objects, group)).at(-1) ?? 0;
    const snapshot = await Snapshot.open(objects, { group, seq }, undefined);
    const state = new Map<number, number>();
    const bytes = Buffer.alloc(blockBytes);
    for (const { number: volume } of snapshot.volumes) {
      for await (const { startBlock, blockCount, address } of snapshot.scan(volume)) {
        for (let at = 0; at < blockCount && address > 0; at++) {
          expect(await blocks.read({ address: address + at, blockCount: 1, volume }, bytes, 0)).toEqual([]);
          const stamp = readStamp(bytes, 0);
          if (typeof stamp === "string") throw new Error(stamp);
          state.set(startBlock + at, stamp.number);
        }
      }
    }
    await objects.close();
    return state;
  }

  async #store() {
    const objectsPath = join(this.data, "remote/objects");
    const objects = FolderObjects.openToRead(nodeMachine(rememberingLog([])), objectsPath);
    const segments = await SealedSegments.open(objects, (identity) => SegmentFile.open(objects, identity, undefined));
    const [group = ""] = readdirSync(join(objectsPath, "pieces"));
    return { objects, blocks: new BlockReader(segments), group };
  }

  /** After how many writes there is a point, as the store alone has it; each is looked at. */
  async points(): Promise<number[]> {
    const { objects, blocks, group } = await this.#store();
    const state = new Map<number, number>();
    const counts = new Set<number>();
    const bytes = Buffer.alloc(blockBytes);
    for await (const record of sealedRecords({ objects, group, key: undefined }, 0)) {
      if (record.type === recordType.write) {
        for (let at = 0; at < record.blockCount; at++) {
          const run = { address: record.address + at, blockCount: 1, volume: record.volume };
          expect(await blocks.read(run, bytes, 0)).toEqual([]);
          const stamp = readStamp(bytes, 0);
          if (typeof stamp === "string") throw new Error(stamp);
          state.set(record.startBlock + at, stamp.number);
        }
      }
      if (record.isAggregated && record.type !== recordType.aggregate) continue;
      const count = Math.max(0, ...state.values());
      expect(state).toEqual(new Map(this.#blocks.slice(0, count).map((block, index) => [block, index + 1])));
      counts.add(count);
    }
    await objects.close();
    return [...counts];
  }
}

test("claim A9: points of a coarse level become few, those of every write before and behind stay, and so does a snapshot", async () => {
  const world = new StampedVolume();
  await world.start();
  await world.write(40);
  expect(await world.up.asked("level", "disk", "1h")).toMatchObject({ volume: "disk", level: "1h", seconds: 3600 });
  expect((await world.up.typed("status")).stdout).toContain("disk: its points are 1h from each other\n");
  await world.write(200);
  const { stdout } = await world.up.typed("level", "disk", "every-write");
  expect(stdout).toBe("each write of disk is a point from now on\n");
  await world.write(40);
  await world.write(5);
  expect(await world.points()).toHaveLength(1 + 285);
  const timeline = (await world.up.typed("timeline", "disk")).stdout;
  expect(timeline).toMatch(/level 1h, before every-write[\s\S]*level every-write, before 1h/);
  const snapshot = () => world.snapshotState();
  await world.up.asked("snapshot", "create", "disk");
  const before = await snapshot();
  expect(before.size).toBe(blockCount);
  const { result } = await world.collect();
  expect(result?.figures.foldedPieces).toBeGreaterThan(0);
  const points = await world.points();
  const coarse = points.filter((count) => count > 40 && count < 240);
  expect(coarse.length).toBeLessThan(20);
  expect(points.filter((count) => count <= 40)).toHaveLength(41);
  expect(points.filter((count) => count >= 240)).toHaveLength(46);
  // What no point needs any more goes with it, and each point still reads as it did.
  await world.collect();
  expect(await world.points()).toEqual(points);
  expect(await snapshot()).toEqual(before);
  const { exitCode, stderr } = await world.up.typed("level", "disk", "often");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("a level is every-write, or a time");
  await world.up.program.stop();
});
