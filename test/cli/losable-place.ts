/** A program with all roles, its data and its sources, to lose some of it or to put old copies of it back. */
import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { JournalReplay } from "#test/oracle/journal-replay.ts";
import { differences } from "#test/oracle/source-comparison.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { RunningProgram } from "./running-program.ts";

export class LosablePlace {
  readonly folder = temporaryFolder();
  readonly data = join(this.folder, "data");
  /** As they are typed behind `--set`. */
  readonly settings: readonly string[] = [];
  up!: RunningProgram;

  async start(): Promise<void> {
    // As small as may be, so that what is old leaves it soon.
    const small = ["--set", "local.spool.limit=16M", "--set", "local.spool.segment=4M"];
    const others = this.settings.flatMap((setting) => ["--set", setting]);
    this.up = await RunningProgram.start("up", this.data, ...small, ...others);
  }

  source(name: string): string {
    return join(this.folder, `${name}.img`);
  }

  async add(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      await this.up.asked("volume", "add", name, "--source", this.source(name), "--size", "8M");
      await this.write(name, 1, 2, 3);
    }
  }

  async volume(name: string): Promise<VolumeReport> {
    const { volumes } = await this.up.status();
    return volumes.find((volume) => volume.name === name) as VolumeReport;
  }

  async write(name: string, ...blocks: readonly number[]): Promise<void> {
    await whenSeen(async () => expect(await this.volume(name)).toMatchObject({ state: "open" }));
    const client = await openVolume((await this.volume(name)).uris[0] as string);
    for (const block of blocks) await client.write(block * 65_536, Buffer.alloc(65_536, block));
    await client.flush();
    await client.disconnect();
  }

  /** More than the spool keeps. */
  async writeMuch(name: string): Promise<void> {
    for (let round = 1; round <= 4; round++) {
      await this.write(name, ...Array.from({ length: 128 }, (_, block) => block));
      await this.calm(name);
    }
  }

  /** These folders and files, as they are now, come back when what is returned is called. */
  keep(...paths: readonly string[]): () => void {
    for (const [index, path] of paths.entries()) cpSync(path, join(this.folder, `old-${index}`), { recursive: true });
    return () => {
      for (const [index, path] of paths.entries()) {
        rmSync(path, { recursive: true });
        cpSync(join(this.folder, `old-${index}`), path, { recursive: true });
      }
    };
  }

  /** The volume is open, nothing is copied, and the remote has all. */
  async calm(name: string): Promise<void> {
    const isCalm = async (): Promise<void> => {
      const { volumes, groups } = await this.up.status();
      const volume = volumes.find((one) => one.name === name);
      const group = groups.find((one) => one.name === name);
      expect([volume?.state, volume?.copy, group?.lagRecords, group?.state]).toEqual(["open", undefined, 0, "steady"]);
    };
    await whenSeen(isCalm);
  }

  async expectEqual(name: string): Promise<void> {
    const { groups } = await this.up.status();
    const id = groups.find((group) => group.name === name)?.id as string;
    const remote = join(this.data, "remote");
    using replay = this.up.program.whileFrozen(() => new JournalReplay({ remote }, id));
    expect(differences(this.source(name), replay, replay.volumeNumber(name))).toEqual([]);
  }

  spoolFiles(): string[] {
    return readdirSync(join(this.data, "local"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".segment"))
      .map((path) => join(this.data, "local", path));
  }
}
