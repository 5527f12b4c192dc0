/** A volume that is overwritten, the program that protects it, and what its store alone says of each point that is kept. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { JobReport } from "#src/control/job.ts";
import type { ViewFacts } from "#src/control/view.ts";
import { blockBytes } from "#src/core/limits.ts";
import { nodeMachine } from "#src/host/node/machine.ts";
import { sealedRecords } from "#src/journals/sealed-records.ts";
import { recordType } from "#src/records/record.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import { readHistory } from "#src/synth/history-document.ts";
import { Snapshot } from "#src/synth/snapshot.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { putStamp, readStamp } from "#test/oracle/block-stamp.ts";
import { filesUnder } from "#test/oracle/log-file-reader.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { rememberingLog } from "#test/store/remembering-log.ts";
import { RunningProgram } from "./running-program.ts";

const blockCount = 512;
export const writesPerRound = 256;

/** A volume of which each round overwrites a half, block by block, each with a stamp that is its number. */
export class OverwrittenVolume {
  readonly #folder = temporaryFolder();
  readonly data = join(this.#folder, "data");
  up!: RunningProgram;
  #uri = "";
  #number = 0;
  #roundCount = 0;
  /** Of each write in turn. */
  readonly #blocks: number[] = [];

  async start(...settings: readonly string[]): Promise<void> {
    const all = [
      "store.sealAfterSeconds=1",
      "store.retention.keepSeconds=1",
      "store.collect.graceSeconds=0",
      ...settings,
    ];
    this.up = await RunningProgram.start("up", this.data, ...all.flatMap((setting) => ["--set", setting]));
    const { volumes } = await this.up.status();
    if (volumes.length === 0) {
      const source = join(this.#folder, "disk.img");
      await this.up.asked("volume", "add", "disk", "--source", source, "--size", String(blockCount * blockBytes));
    }
    await whenSeen(async () => expect((await this.up.status()).volumes[0]?.state).toBe("open"));
    const volume = (await this.up.got("/api/v1/volumes/disk")).body as VolumeReport;
    this.#uri = volume.uris[0] as string;
  }

  /** And waits until the store has it, unless told. */
  async round({ isStored = true } = {}): Promise<void> {
    this.#roundCount++;
    const client = await openVolume(this.#uri);
    for (let count = 0; count < writesPerRound; count++) {
      // Another half of the volume each time, so that of what was written before some is needed.
      const block = (this.#roundCount * 96 + count) % blockCount;
      const bytes = Buffer.alloc(blockBytes);
      putStamp(bytes, 0, { volume: 1, block, number: ++this.#number });
      this.#blocks.push(block);
      await client.write(block * blockBytes, bytes);
    }
    await client.flush();
    await client.disconnect();
    await whenSeen(async () => {
      const { remoteGroups, groups } = await this.up.status();
      expect(groups[0]?.lagRecords).toBe(0);
      if (isStored) expect(remoteGroups[0]?.stored).toBe(groups[0]?.lastSeq);
    });
  }

  get objectsPath(): string {
    return join(this.data, "remote/objects");
  }

  segmentBytes(): number {
    const paths = filesUnder(join(this.objectsPath, "segments"));
    return paths.reduce((sum, path) => sum + statSync(path).size, 0);
  }

  /** A collection has noted its plan, and not its end. */
  isCollecting(): boolean {
    const path = join(this.objectsPath, "collection.json");
    return existsSync(path) && readFileSync(path, "utf8").includes('"begun"');
  }

  /** When it is through. */
  job(id: number): Promise<JobReport> {
    return whenSeen(async () => {
      const job = (await this.up.asked("job", "show", String(id))) as JobReport;
      expect(["waiting", "running"]).not.toContain(job.state);
      return job;
    });
  }

  /** Every point that is kept, from the store's objects alone: answers how many. */
  async checkPoints(): Promise<number> {
    const objects = FolderObjects.openToRead(nodeMachine(rememberingLog([])), this.objectsPath);
    const segments = await SealedSegments.open(objects, (identity) => SegmentFile.open(objects, identity, undefined));
    const blocks = new BlockReader(segments);
    const bytes = Buffer.alloc(blockBytes);
    const numberAt = async (address: number, volume: number, block: number): Promise<number> => {
      expect(await blocks.read({ address, blockCount: 1, volume }, bytes, 0)).toEqual([]);
      const stamp = readStamp(bytes, 0);
      expect(stamp).toMatchObject({ block });
      return typeof stamp === "string" ? 0 : stamp.number;
    };
    const [group = ""] = readdirSync(join(this.objectsPath, "pieces"));
    const { basedOn } = (await readHistory(objects, group)).document;
    const state = new Map<number, number>();
    if (basedOn > 0) {
      const snapshot = await Snapshot.open(objects, { group, seq: basedOn }, undefined);
      for (const { number: volume } of snapshot.volumes) {
        for await (const { startBlock, blockCount, address } of snapshot.scan(volume)) {
          for (let at = 0; at < blockCount && address > 0; at++) {
            state.set(startBlock + at, await numberAt(address + at, volume, startBlock + at));
          }
        }
      }
    }
    let number = Math.max(0, ...state.values());
    // The base is the state after so many writes, and nothing else.
    expect(state).toEqual(new Map(this.#blocks.slice(0, number).map((block, index) => [block, index + 1])));
    let count = 1;
    for await (const { type, address, startBlock, volume } of sealedRecords(
      { objects, group, key: undefined },
      basedOn,
    )) {
      if (type !== recordType.write) continue;
      expect(await numberAt(address, volume, startBlock)).toBe(++number);
      count++;
    }
    expect(number).toBe(this.#number);
    await objects.close();
    return count;
  }

  /** A view of a point, or of the last one before it, holds what some of the writes have made, and none behind them: answers how many. */
  async checkView(point: string): Promise<number> {
    const wish = { volume: "disk", point, nearest: true };
    const { name, uri } = (await this.up.sent("POST", "/api/v1/views", wish)) as ViewFacts;
    const client = await openVolume(uri);
    const bytes = await client.read(0, blockCount * blockBytes);
    await client.disconnect();
    await this.up.sent("DELETE", `/api/v1/views/${encodeURIComponent(name)}`);
    const found = new Map<number, number>();
    for (let block = 0; block < blockCount; block++) {
      const stamp = readStamp(bytes, block * blockBytes);
      if (stamp === "zeros") continue;
      expect(stamp).toMatchObject({ block });
      if (typeof stamp !== "string") found.set(block, stamp.number);
    }
    const count = Math.max(0, ...found.values());
    expect(found).toEqual(new Map(this.#blocks.slice(0, count).map((block, index) => [block, index + 1])));
    return count;
  }

  /** The process that keeps the store, where it is the only one. */
  keeperId(): number | undefined {
    return this.childIds()[0];
  }

  /** Processes that the program has begun for parts of it. */
  childIds(): number[] {
    const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return ids.map(Number).filter((id) => {
      try {
        const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1]);
        return (
          parent === this.up.program.processId && readFileSync(`/proc/${id}/cmdline`, "utf8").includes("process-start")
        );
      } catch {
        return false;
      }
    });
  }
}
