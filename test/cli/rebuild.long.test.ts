/** A remote appliance whose disk is lost, and whose store is not: with real processes, by the commands that help then. */
import fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeClock } from "#src/host/node/clock.ts";
import { openLog } from "#src/host/node/log.ts";
import { nodeMachine } from "#src/host/node/machine.ts";
import { sealedRecords } from "#src/journals/sealed-records.ts";
import { recordType } from "#src/records/record.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import type { ReadableObjects } from "#src/store/objects.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import { readStoreDocument } from "#src/store/store-document-copies.ts";
import { openKeys } from "#src/store/store-keys.ts";
import { WrappingKey } from "#src/store/wrapping-key.ts";
import { run } from "#test/clients/command.ts";
import { whenSeen } from "#test/patience.ts";
import { LosablePlace } from "./losable-place.ts";
import { launcher } from "./running-program.ts";

const blockBytes = 4096;

class RebuiltPlace extends LosablePlace {
  readonly store = join(this.folder, "store");
  readonly keyFile: string | undefined;
  override settings: readonly string[];

  constructor({ isEncrypted = false } = {}) {
    super();
    this.keyFile = isEncrypted ? join(this.folder, "store.key") : undefined;
    const key = this.keyFile === undefined ? [] : [`store.keyFile=${this.keyFile}`];
    this.settings = [`store.folder=${this.store}`, "store.sealAfterSeconds=1", ...key];
    if (this.keyFile !== undefined) fs.writeFileSync(this.keyFile, "ab".repeat(32), { mode: 0o600 });
  }

  get remote(): string {
    return join(this.data, "remote");
  }

  /** A command that asks no program. */
  offline(...line: readonly string[]) {
    return run(process.execPath, [launcher, ...line]);
  }

  async stored(name: string): Promise<void> {
    await this.calm(name);
    const isStored = async (): Promise<void> => {
      const { remoteGroups } = (await this.up.status()) as unknown as {
        readonly remoteGroups: readonly { readonly name: string; readonly stored: number; readonly received: number }[];
      };
      const group = remoteGroups.find((one) => one.name === name);
      expect(group?.stored).toBe(group?.received);
    };
    await whenSeen(isStored);
  }

  async #key(objects: ReadableObjects): Promise<Buffer | undefined> {
    if (this.keyFile === undefined) return undefined;
    const document = await readStoreDocument(objects);
    const wrappingKey = WrappingKey.parse(fs.readFileSync(this.keyFile), this.keyFile);
    return document === undefined ? undefined : openKeys(document, wrappingKey)?.keys.storeKey;
  }

  /** The volume as the store alone has it. */
  async storedContent(group: string): Promise<Buffer> {
    const machine = nodeMachine(openLog({ level: "error", format: "text", clock: nodeClock, write: () => {} }));
    const objects = FolderObjects.openToRead(machine, this.store);
    const key = await this.#key(objects);
    const segments = await SealedSegments.open(objects, (identity) => SegmentFile.open(objects, identity, key));
    const blocks = new BlockReader(segments);
    const content = Buffer.alloc(fs.statSync(this.source("a")).size);
    for await (const record of sealedRecords({ objects, group, key }, 0)) {
      const { type, startBlock, blockCount } = record;
      const [start, end] = [startBlock * blockBytes, (startBlock + blockCount) * blockBytes];
      if (type === recordType.write) expect(await blocks.read(record, content, start)).toEqual([]);
      else if (type === recordType.trim || type === recordType.zero) content.fill(0, start, end);
    }
    await objects.close();
    return content;
  }

  async expectStoredEqual(): Promise<void> {
    const { groups } = await this.up.status();
    const id = groups[0]?.id as string;
    await this.up.program.stop();
    expect((await this.storedContent(id)).equals(fs.readFileSync(this.source("a")))).toBe(true);
    await this.start();
  }
}

test("fault 20: with its disk lost a remote appliance is made anew of the objects, and the chain works again", async () => {
  const place = new RebuiltPlace();
  await place.start();
  await place.add("a");
  await place.stored("a");
  await place.up.program.stop();
  fs.renameSync(place.remote, join(place.folder, "lost"));
  await place.start();
  await whenSeen(async () =>
    expect((await place.up.typed("status")).stdout).toMatch(/belongs to another remote.*tidemark rebuild/),
  );
  await place.up.program.stop();
  const rebuild = ["rebuild", "--from", place.store, "--data", place.data];
  expect(await place.offline(...rebuild)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("not empty") });
  fs.rmSync(place.remote, { recursive: true });
  const made = await place.offline(...rebuild);
  expect(made).toMatchObject({ exitCode: 0, stderr: "" });
  expect(made.stdout).toMatch(/^group a \([0-9a-f]{32}\): records 1 to \d+, epoch 1.*\n {2}volume a, 8/);
  await place.start();
  await place.write("a", 40, 41);
  await place.stored("a");
  await place.expectStoredEqual();
  await place.up.program.stop();
  // The lost disk comes back: what is on it is old.
  fs.renameSync(place.remote, join(place.folder, "made"));
  fs.renameSync(join(place.folder, "lost"), place.remote);
  await place.start();
  await whenSeen(async () =>
    expect((await place.up.typed("status")).stdout).toMatch(/belongs to another remote appliance, since/),
  );
});

test("fault 20: a local appliance that has let go of what the store lacks is told to copy anew, and then all is there", async () => {
  const place = new RebuiltPlace({ isEncrypted: true });
  await place.start();
  await place.add("a");
  await place.stored("a");
  await place.up.program.stop();
  const putBack = place.keep(place.store);
  await place.start();
  await place.writeMuch("a");
  await place.up.program.stop();
  putBack();
  fs.rmSync(place.remote, { recursive: true });
  const rebuild = ["rebuild", "--from", place.store, "--data", place.data, "--json"];
  expect(await place.offline(...rebuild)).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/encrypted/) });
  const made = await place.offline(...rebuild, "--key-file", place.keyFile ?? "");
  expect(JSON.parse(made.stdout)).toMatchObject({ objects: place.store, rebuilt: [{ name: "a" }], broken: [] });
  await place.start();
  await whenSeen(async () => expect((await place.up.typed("status")).stdout).toMatch(/move-spool.*resync/));
  expect(await place.up.typed("volume", "move-spool", "a", "--to", place.folder)).toMatchObject({ exitCode: 0 });
  await place.write("a", 3);
  expect(await place.up.typed("volume", "resync", "a")).toMatchObject({ exitCode: 0 });
  await place.stored("a");
  await place.expectStoredEqual();
});

test("a rebuild from nowhere, or from two places, is wrong use, and one from where nothing is fails in words", async () => {
  const place = new RebuiltPlace();
  const words = "rebuild takes either --from OBJECTS or --in-place";
  for (const more of [[], ["--from", place.store, "--in-place"]]) {
    expect(await place.offline("rebuild", ...more)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(words),
    });
  }
  const nowhere = await place.offline("rebuild", "--from", place.store, "--data", place.data);
  expect(nowhere).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("there is no folder") });
  fs.mkdirSync(place.store);
  const empty = await place.offline("rebuild", "--from", place.store, "--data", place.data);
  expect(empty).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("holds no store") });
});

test.skipIf(process.getuid?.() !== 0)("root rebuilds nothing for another user, who could not read it", async () => {
  const user = 10_001;
  const words = expect.stringMatching(/number 10001,.*'runuser -u tidemark -- /);
  for (const others of ["data", "store"] as const) {
    const place = new RebuiltPlace();
    for (const path of [place.store, place.data]) fs.mkdirSync(path);
    fs.chownSync(place[others], user, user);
    expect(await place.offline("rebuild", "--from", place.store, "--data", place.data)).toMatchObject({
      exitCode: 1,
      stderr: words,
    });
    expect(fs.readdirSync(place.data)).toEqual([]);
    expect(fs.readdirSync(place.store)).toEqual([]);
  }
});

test("fault 20: what was not stored when the disk was lost comes from a spool that has kept it, and nothing is copied", async () => {
  const place = new RebuiltPlace();
  const quick = [...place.settings, "local.spool.keep=4M"];
  place.settings = quick;
  await place.start();
  await place.add("a");
  await place.stored("a");
  await place.up.program.stop();
  place.settings = [...quick, "store.sealAfterSeconds=86400"];
  await place.start();
  await place.write("a", 50, 51, 52);
  await place.calm("a");
  await place.up.program.stop();
  fs.rmSync(place.remote, { recursive: true });
  const made = await place.offline("rebuild", "--from", place.store, "--data", place.data, "--json");
  expect(made.exitCode).toBe(0);
  place.settings = quick;
  await place.start();
  await place.stored("a");
  const { groups } = await place.up.status();
  const { rebuilt } = JSON.parse(made.stdout) as { readonly rebuilt: readonly { readonly lastSeq: number }[] };
  expect(groups[0]).toMatchObject({ epoch: 1, lagRecords: 0 });
  expect(groups[0]?.durable).toBeGreaterThan(rebuilt[0]?.lastSeq ?? 0);
  await place.expectStoredEqual();
});
