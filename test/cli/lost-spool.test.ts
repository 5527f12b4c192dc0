/** Data of the local appliance that is lost, or was put back from an old copy, and the way out of it. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { MiB } from "#src/core/limits.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { JournalReplay } from "#test/oracle/journal-replay.ts";
import { differences } from "#test/oracle/source-comparison.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { RunningProgram } from "./running-program.ts";

const patience = { timeout: 30_000, interval: 50 };

class Place {
  readonly folder = temporaryFolder();
  readonly data = join(this.folder, "data");
  up!: RunningProgram;

  async start(): Promise<void> {
    this.up = await RunningProgram.start("up", this.data);
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
    await vi.waitFor(async () => expect(await this.volume(name)).toMatchObject({ state: "open" }), patience);
    const client = await openVolume((await this.volume(name)).uris[0] as string);
    for (const block of blocks) await client.write(block * 65_536, Buffer.alloc(65_536, block));
    await client.flush();
    await client.disconnect();
  }

  /** The volume is open, nothing is copied, and the remote has all. */
  async calm(name: string): Promise<void> {
    const isCalm = async (): Promise<void> => {
      const { volumes, groups } = await this.up.status();
      const volume = volumes.find((one) => one.name === name);
      const group = groups.find((one) => one.name === name);
      expect([volume?.state, volume?.copy, group?.lagRecords, group?.state]).toEqual(["open", undefined, 0, "steady"]);
    };
    await vi.waitFor(isCalm, patience);
  }

  async expectEqual(name: string): Promise<void> {
    const { groups } = await this.up.status();
    const id = groups.find((group) => group.name === name)?.id as string;
    using replay = new JournalReplay({ remote: join(this.data, "remote") }, id);
    expect(differences(this.source(name), replay, replay.volumeNumber(name))).toEqual([]);
  }

  spoolFiles(): string[] {
    return readdirSync(join(this.data, "local"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".segment"))
      .map((path) => join(this.data, "local", path));
  }
}

test("fault 20: where a spool is gone its group is stopped, others work, and move-spool goes on from the source", async () => {
  const place = new Place();
  await place.start();
  await place.add("a");
  const before = place.spoolFiles();
  await place.add("b");
  await place.up.program.stop();
  for (const path of before) rmSync(path);
  await place.start();
  const { stdout } = await place.up.typed("status");
  expect(stdout).toContain("not ready: volume a is being opened: the group 'a' is stopped: the spool in");
  expect(stdout).toContain("'tidemark volume move-spool'");
  await place.write("b", 4);
  const moved = await place.up.typed("volume", "move-spool", "a");
  expect(moved).toMatchObject({ exitCode: 0, stdout: "a has a new spool and is steady\n" });
  await place.write("a", 5);
  await place.calm("a");
  await place.expectEqual("a");
  await place.expectEqual("b");
  await place.up.program.stop();
  await place.start();
  await place.write("a", 6);
  await place.calm("a");
  await place.expectEqual("a");
  expect(await place.up.typed("volume", "move-spool", "a")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("the spool of group 'a' is sound"),
  });
});

test("fault 20: an old copy of the local appliance's data is refused by the remote, and what to do is said", async () => {
  const place = new Place();
  await place.start();
  await place.add("a");
  await place.up.program.stop();
  const old = join(place.folder, "old");
  cpSync(join(place.data, "local"), old, { recursive: true });
  await place.start();
  await place.write("a", 7, 8, 9);
  await place.calm("a");
  await place.up.program.stop();
  await place.start();
  await place.write("a", 10);
  await place.up.program.stop();
  rmSync(join(place.data, "local"), { recursive: true });
  cpSync(old, join(place.data, "local"), { recursive: true });
  await place.start();
  await vi.waitFor(
    async () => expect((await place.up.typed("status")).stdout).toMatch(/old copy of its data.*volume move-spool/),
    patience,
  );
  expect((await place.up.typed("volume", "move-spool", "a", "--to", place.folder)).exitCode).toBe(0);
  await place.write("a", 11);
  await place.calm("a");
  await place.expectEqual("a");
});

test("fault 20: a source that somebody has changed is journaled anew when that is asked for", async () => {
  const place = new Place();
  await place.start();
  await place.add("a");
  await place.calm("a");
  await place.up.program.stop();
  const image = readFileSync(place.source("a"));
  writeFileSync(place.source("a"), image.fill(0x77, 2 * MiB, 3 * MiB));
  await place.start();
  await vi.waitFor(async () => expect((await place.volume("a")).state).toBe("open"), patience);
  expect(await place.up.typed("volume", "resync", "a")).toMatchObject({ exitCode: 0 });
  await place.calm("a");
  await place.expectEqual("a");
});
