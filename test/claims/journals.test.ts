/**
 * What the remote appliance keeps: the metadata of each write in one journal, its data in another, and with both the state
 * at every moment in between. The judge here knows nothing but the writes; it reads the files by docs/formats.md.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { launcher } from "#test/cli/running-program.ts";
import { run } from "#test/clients/command.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryPlaces } from "#test/kill/rounds.ts";
import { stampedBytes as blockBytes } from "#test/oracle/block-stamp.ts";
import type { Attached } from "#test/oracle/history-writer.ts";
import { filesUnder, typeNumber } from "#test/oracle/log-file-reader.ts";
import type { LoggedRecord } from "#test/oracle/log-records.ts";
import { Sites, volumeName } from "#test/oracle/sites.ts";
import { whenSeen } from "#test/patience.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

needPrograms("setpriv");

const blockCount = 128;
const sizeBytes = blockCount * blockBytes;
/** What can be found again in any file: no checksum and no number begins with it. */
const mark = Buffer.from("written by the host of this test");

interface Change {
  readonly kind: "write" | "trim" | "zero";
  readonly offsetBytes: number;
  readonly bytes: Buffer;
}

/** Writes of any offset and length, also within blocks; trims and zeros of whole blocks. Each is one record. */
function drawChange(random: SeededRandom, number: number): Change {
  const draw = random.integerBelow(10);
  if (draw >= 2) {
    const length = random.between(1, 5 * blockBytes);
    const bytes = Buffer.alloc(length, number % 255);
    mark.copy(bytes);
    return { kind: "write", offsetBytes: random.integerBelow(sizeBytes - length + 1), bytes };
  }
  const count = random.between(1, 8);
  const offsetBytes = random.integerBelow(blockCount - count + 1) * blockBytes;
  return { kind: draw === 0 ? "trim" : "zero", offsetBytes, bytes: Buffer.alloc(count * blockBytes) };
}

function carryOut(client: Attached, { kind, offsetBytes, bytes }: Change): Promise<void> {
  if (kind === "write") return client.write(offsetBytes, bytes);
  if (kind === "trim") return client.trim(offsetBytes, bytes.length);
  return client.writeZeroes(offsetBytes, bytes.length);
}

/** Of one host that waits for each answer, so that there is only one order. */
async function writeAll(count: number, seed: number, settings = {}) {
  const sites = await Sites.make({ mode: "async", sizeBytes, places: await temporaryPlaces(), settings });
  const client = await sites.connect();
  const random = new SeededRandom(seed);
  const changes = Array.from({ length: count }, (_, number) => drawChange(random, number));
  for (const change of changes) await carryOut(client, change);
  await client.flush();
  await client.disconnect();
  await sites.calm();
  return { sites, changes };
}

function isChange({ type }: LoggedRecord): boolean {
  return type === typeNumber.write || type === typeNumber.trim || type === typeNumber.zero;
}

test("claim A7: the state at every seq of six hundred changes is the one that the host had made by then", async () => {
  const { sites, changes } = await writeAll(600, 71);
  // Of the remote alone: the local site with its spool is lost.
  using replay = sites.remoteReplay();
  const volume = replay.volumeNumber(volumeName);
  const records = replay.records.filter((record) => record.volume === volume && isChange(record));
  expect(records).toHaveLength(changes.length);
  const wanted = Buffer.alloc(sizeBytes);
  const restored = Buffer.alloc(sizeBytes);
  for (const [index, record] of records.entries()) {
    const change = changes[index] as Change;
    change.bytes.copy(wanted, change.offsetBytes);
    for (let block = 0; block < record.blockCount; block++) {
      replay.bytesOf({ record, index: block }).copy(restored, (record.startBlock + block) * blockBytes);
    }
    expect([record.seq, restored.equals(wanted)]).toEqual([record.seq, true]);
  }
  expect(readFileSync(sites.source).equals(wanted)).toBe(true);
});

test("claims A7 and C1: sealed into the store, where it takes less room, the journal still gives back every seq", async () => {
  const { sites, changes } = await writeAll(300, 73, { store: { sealAfterSeconds: 1 } });
  const remote = join(sites.dataOf("remote"), "remote");
  const unsealed = () => filesUnder(join(remote, "groups")).filter((path) => /\.(data|sums)$/.test(path));
  await whenSeen(() => expect(unsealed()).toEqual([]));
  const objects = filesUnder(join(remote, "objects")).filter((path) => path.includes("/segments/"));
  const objectBytes = objects.reduce((sum, path) => sum + statSync(path).size, 0);
  using replay = sites.remoteReplay();
  const records = replay.records.filter(isChange);
  expect(records).toHaveLength(changes.length);
  const wanted = Buffer.alloc(sizeBytes);
  const restored = Buffer.alloc(sizeBytes);
  let landedBytes = 0;
  for (const [index, record] of records.entries()) {
    const change = changes[index] as Change;
    change.bytes.copy(wanted, change.offsetBytes);
    for (let block = 0; block < record.blockCount; block++) {
      replay.bytesOf({ record, index: block }).copy(restored, (record.startBlock + block) * blockBytes);
    }
    if (record.type === typeNumber.write) landedBytes += record.blockCount * blockBytes;
    expect([record.seq, restored.equals(wanted)]).toEqual([record.seq, true]);
  }
  expect(objectBytes).toBeLessThan(landedBytes / 4);
});

test("claim A7: a metadata journal holds no data, a data journal nothing else, and both can be read item by item", async () => {
  const { sites, changes } = await writeAll(60, 72);
  const files = filesUnder(join(sites.dataOf("remote"), "remote/groups"));
  const metadata = files.filter((path) => path.endsWith(".piece")).map((path) => readFileSync(path));
  const data = files.filter((path) => path.endsWith(".data")).map((path) => readFileSync(path));
  expect(metadata.some((bytes) => bytes.includes(mark))).toBe(false);
  using replay = sites.remoteReplay();
  const writes = replay.records.filter(({ type }) => type === typeNumber.write);
  expect(writes).toHaveLength(changes.filter(({ kind }) => kind === "write").length);
  const landed = writes.flatMap((record) =>
    Array.from({ length: record.blockCount }, (_, index) => replay.bytesOf({ record, index })),
  );
  const [segment, ...others] = data;
  expect(others).toEqual([]);
  const slots = Array.from({ length: landed.length }, (_, slot) =>
    (segment as Buffer).subarray(slot * blockBytes, (slot + 1) * blockBytes),
  );
  expect(slots.every((slot, index) => slot.equals(landed[index] as Buffer))).toBe(true);
  const behind = (segment as Buffer).subarray(landed.length * blockBytes);
  expect(behind.equals(Buffer.alloc(behind.length))).toBe(true);

  const { stdout } = await run(process.execPath, [launcher, "dump", "journal", sites.dataOf("remote"), "--json"]);
  const items = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const dumped = items.filter(({ kind, type }) => kind === "record" && type === "write");
  expect(dumped.map(({ seq, address }) => [seq, address])).toEqual(writes.map(({ seq, address }) => [seq, address]));
});
