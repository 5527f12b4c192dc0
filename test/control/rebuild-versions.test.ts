/** A store and a data folder of which a later program has written something: a rebuild refuses, and leaves both as they are. */
import { expect, test } from "vitest";
import { logFileHeaderBytes } from "#src/core/limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { encodeDocument } from "#src/host/document.ts";
import { encodeSumsHeader, sumsHeaderSpokenBytes } from "#src/journals/sums-format.ts";
import { logFileMagic, putLogFileHeader } from "#src/records/log-file.ts";
import { objectHeaderBytes } from "#src/store/object-format.ts";
import { groupA, groupB, hello, type RemoteWorld } from "#test/appliance/remote/remote-world.ts";
import { driven } from "#test/contract/driver.ts";
import { bytesAt, filesOf } from "#test/sites/file-tree.ts";
import { freely } from "#test/store/memory-store.ts";
import { put } from "./golden-files.ts";
import { historyOf, piecePath, rebuild, started, store } from "./rebuild-world.ts";

const wayOut = "has version 2, and this program reads version 1: use the program that wrote it";

/** Two groups; the history of one begins with a snapshot of its second record, and its last two pieces are kept. */
async function stored(): Promise<RemoteWorld> {
  const world = await started();
  await store(world, await world.connect(), 1, 2, 3, 4);
  await store(world, await world.connect(hello({ group: groupB, groupName: "others" })), 1, 2);
  await driven(world.driver, historyOf(world).retain({ fromSeq: 2 }, freely));
  await world.stop();
  return world;
}

/** All that is in these folders, as it would be read. */
function contentsOf({ host }: RemoteWorld): ReadonlyMap<string, string> {
  const { root } = host.disk;
  return new Map([...filesOf(root).keys()].map((path) => [path, bytesAt(root, path)?.toString("hex") ?? ""]));
}

/** As a later program would have written it, without a version that was turned by chance. */
function laterDocument(path: string): Buffer {
  const formats: readonly (readonly [RegExp, string])[] = [
    [/^\/data\/binding/, "remote-store"],
    [/^\/data\/segments/, "segments"],
    [/^\/data\/groups/, "remote-group"],
    [/^\/store\/store/, "store"],
    [/^\/store\/holder/, "store-holder"],
    [/^\/store\/scrub/, "scrub"],
    [/^\/store\/collection/, "collection"],
    [/^\/store\/groups/, "stored-group"],
    [/^\/store\/history/, "history"],
  ];
  const [, format] = formats.find(([pattern]) => pattern.test(path)) ?? expect.unreachable(path);
  return encodeDocument({ format: `tidemark-${format}`, version: 2 }, { id: "of another kind" });
}

/** The same with its version turned to 2, and a checksum that fits. */
function later(bytes: Buffer, checksumAt: number): Buffer {
  bytes.writeUInt16LE(2, 4);
  putChecksum(bytes, 0, checksumAt, bytes, checksumAt);
  return bytes;
}

function laterPiece(): Buffer {
  const bytes = Buffer.alloc(logFileHeaderBytes);
  const numbers = { incarnation: 1, basePosition: 0, fullBytes: 65_536, firstSeq: 1, releasedSeq: 0 };
  putLogFileHeader(bytes, 0, { magic: logFileMagic.metadata, group: groupA, ...numbers });
  return later(bytes, 64);
}

function laterSums(): Buffer {
  return later(encodeSumsHeader({ group: groupA, segment: 900, level: 0 }), sumsHeaderSpokenBytes - 8);
}

function replace({ host: { files } }: RemoteWorld, path: string, bytes: Buffer | undefined): void {
  if (files.exists(path)) files.remove(path);
  if (bytes !== undefined) put(files, path, bytes);
}

const ofFolder: readonly (readonly [string, () => Buffer])[] = [
  ...["binding.json", "segments.json", `groups/${groupA}/group.json`, `groups/${groupB}/group.json`].map((name) => {
    const path = `/data/${name}`;
    return [path, () => laterDocument(path)] as const;
  }),
  [`/data/groups/${groupA}/metadata/${"0".repeat(16)}.piece`, laterPiece],
  [`/data/groups/${groupA}/segments/000000000900.sums`, laterSums],
];

const documentsOfStore = [
  ...["store.json", "store-copy.json", "holder.json", "scrub.json", "collection.json", `groups/${groupA}.json`],
  ...[`groups/${groupB}.json`, `history/${groupA}.json`, `history/${groupA}-copy.json`, `history/${groupB}.json`],
].map((name) => `/store/${name}`);

async function expectRefusal(world: RemoteWorld, path: string, bytes: Buffer, from: readonly boolean[]): Promise<void> {
  const before = bytesAt(world.host.disk.root, path);
  replace(world, path, bytes);
  const whole = contentsOf(world);
  for (const isInPlace of from) {
    const change = isInPlace ? { isInPlace, confirmed: ["disks", "others", groupA, groupB] } : { folder: "/new" };
    const refused = { name: "RefuseError", message: expect.stringMatching(new RegExp(`^\\S+ ${wayOut}$`)) };
    await expect(rebuild(world, { ...change, cut: [groupA, groupB] }), path).rejects.toMatchObject(refused);
    expect([...contentsOf(world)].filter(([name, content]) => whole.get(name) !== content)).toEqual([]);
    expect(contentsOf(world).size).toBe(whole.size);
  }
  replace(world, path, before);
}

test("fault 29: what a later program wrote in the data folder is refused before anything is rebuilt in place", async () => {
  const world = await stored();
  for (const [path, bytes] of ofFolder) await expectRefusal(world, path, bytes(), [true]);
  expect(await rebuild(world, { isInPlace: true })).toMatchObject({ kept: [groupA, groupB], broken: [] });
});

test("fault 29: a document of the store of a later program is refused before anything is made of the store", async () => {
  const world = await stored();
  for (const path of documentsOfStore) await expectRefusal(world, path, laterDocument(path), [false, true]);
  expect(await rebuild(world, { folder: "/new" })).toMatchObject({ rebuilt: [{ id: groupA }, { id: groupB }] });
});

test("fault 29: so is an object that a group is made of, whichever of its pieces, and the newest segment", async () => {
  const world = await stored();
  const { files, disk } = world.host;
  const segment = `/store/segments/${files.list("/store/segments").at(-1)}`;
  const snapshot = `/store/snapshots/${groupA}`;
  const base = `${snapshot}/${files.list(snapshot)[0]}`;
  const needed = [piecePath(3), piecePath(4), piecePath(1, groupB), piecePath(2, groupB), base, segment];
  // The groups of a folder that is there are whole, and nothing is read of them but where they end.
  const looked = [piecePath(4), piecePath(2, groupB), segment];
  for (const path of needed) {
    const bytes = bytesAt(disk.root, path) ?? expect.unreachable(path);
    const from = looked.includes(path) ? [false, true] : [false];
    await expectRefusal(world, path, later(bytes, objectHeaderBytes - 8), from);
  }
  expect(await rebuild(world, { folder: "/new" })).toMatchObject({ rebuilt: [{ id: groupA }, { id: groupB }] });
});

test("fault 29: of a group that was lost in the folder all is looked at before anything is set aside", async () => {
  const world = await stored();
  const { disk } = world.host;
  for (const bit of [1, 2]) disk.fileAt(`/data/groups/${groupB}/group.json`).flipBit(40, bit);
  const bytes = bytesAt(disk.root, piecePath(1, groupB)) ?? expect.unreachable("it is there");
  await expectRefusal(world, piecePath(1, groupB), later(bytes, objectHeaderBytes - 8), [true]);
});
