/** The folder of a remote appliance that is made of its store again: all of it, or what does not fit the store any more. */
import { expect, test } from "vitest";
import { SegmentCatalogue } from "#src/appliance/remote/segment-catalogue.ts";
import { readNotedStore } from "#src/control/store-binding.ts";
import { RetryError } from "#src/core/errors.ts";
import { segmentNumbersSkipped } from "#src/core/store-limits.ts";
import { encodeGroupDocument, groupDocumentName } from "#src/journals/group-document.ts";
import { sealedPieces } from "#src/journals/sealed-piece-chain.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { readStoreHolder } from "#src/store/store-holder.ts";
import { GroupHistory } from "#src/synth/group-history.ts";
import { changeHistory, wholeHistory } from "#src/synth/history-document.ts";
import { Snapshot } from "#src/synth/snapshot.ts";
import { groupA, groupB, hello } from "#test/appliance/remote/remote-world.ts";
import { driven } from "#test/contract/driver.ts";
import { instead } from "#test/instead.ts";
import { wireBatch } from "#test/journals/wire-batch.ts";
import { durableNode } from "#test/sites/file-tree.ts";
import { freely } from "#test/store/memory-store.ts";
import { historyOf, piecePath, rebuild, started, store, storeResized } from "./rebuild-world.ts";

test("an empty folder is made of the store, which belongs to it then and to no other", async () => {
  const world = await started();
  await store(world, await world.connect(), 1, 2);
  await world.stop();
  const result = await rebuild(world, { folder: "/new" });
  expect(result).toMatchObject({ rebuilt: [{ id: groupA, lastSeq: 2 }], setAside: [], kept: [], broken: [] });
  const noted = readNotedStore(world.host.files, "/new");
  expect(noted).toMatchObject({ store: result.store, isRebuilding: false });
  const objects = FolderObjects.openToRead(world.host, "/store");
  expect((await driven(world.driver, readStoreHolder(objects)))?.holder).toBe(noted?.holder);
});

test("a group of which nothing but snapshots is left is told to be broken, and the others are made", async () => {
  const world = await started();
  const { driver, host } = world;
  const peer = await world.connect();
  await store(world, peer, 1, 2);
  await store(world, await world.connect(hello({ group: groupB, groupName: "others" })), 1);
  await world.stop();
  const objects = await driven(driver, FolderObjects.open(host, "/store"));
  const history = new GroupHistory({
    objects,
    group: groupA,
    key: undefined,
    clock: host.clock,
    randomness: host.randomness,
  });
  await driven(driver, history.makeSnapshot(2, freely));
  await objects.close();
  for (const seq of [1, 2]) host.files.remove(piecePath(seq));
  expect(await rebuild(world, { folder: "/new" })).toMatchObject({
    rebuilt: [{ id: groupB }],
    broken: [{ id: groupA, why: expect.stringContaining("no piece of its journal"), canBeCut: false }],
  });
});

test("a folder that is not empty is refused, and so is one without a store in it", async () => {
  const world = await started();
  await store(world, await world.connect(), 1);
  await world.stop();
  await expect(rebuild(world)).rejects.toThrow("/data is not empty, groups is there");
  for (const path of ["/begun", "/begun/groups"]) world.host.files.makeFolder(path);
  const wayOut = "no group was ever in it, so take what is in it away, apart from objects, and run this again";
  await expect(rebuild(world, { folder: "/begun" })).rejects.toThrow(`/begun is not empty, groups is there: ${wayOut}`);
  world.host.files.makeFolder("/ended");
  world.host.files.create("/ended/binding.json.unpublished").close();
  expect(await rebuild(world, { folder: "/ended" })).toMatchObject({ rebuilt: [{ id: groupA }] });
  world.host.files.remove("/store/store.json");
  world.host.files.remove("/store/store-copy.json");
  await expect(rebuild(world, { folder: "/new" })).rejects.toThrow("has lost its store.json");
});

test("fault 9: one that was interrupted is run again, whatever it had made, and comes to its end", async () => {
  const world = await started();
  await store(world, await world.connect(), 1);
  await world.stop();
  let steps = 0;
  const interrupted = rebuild(world, {
    folder: "/new",
    progress: () => {
      if (++steps === 1) throw new Error("interrupted");
    },
  });
  await expect(interrupted).rejects.toThrow("interrupted");
  expect(readNotedStore(world.host.files, "/new")?.isRebuilding).toBe(true);
  expect(await rebuild(world, { folder: "/new" })).toMatchObject({ rebuilt: [{ id: groupA, lastSeq: 1 }] });
  expect(readNotedStore(world.host.files, "/new")?.isRebuilding).toBe(false);
});

test("fault 10: after one that was killed at any sync of a folder and run again, no loss of power takes a group", async () => {
  for (let killedAt = 1; ; killedAt++) {
    const world = await started();
    await store(world, await world.connect(), 1);
    await world.stop();
    let count = 0;
    const { files } = world.host;
    const syncFolder: typeof files.syncFolder = (path, done) => {
      if (++count < killedAt) files.syncFolder(path, done);
      else done(new Error("killed"));
    };
    const machine = instead(world.host, { files: instead(files, { syncFolder }) });
    const isThrough = await rebuild(world, { folder: "/new", machine }).then(
      () => true,
      () => false,
    );
    if (isThrough) return expect(killedAt).toBeGreaterThan(5);
    // One that was ended at its very end has noted that it is through.
    if (readNotedStore(files, "/new")?.isRebuilding !== false) await rebuild(world, { folder: "/new" });
    const state = durableNode(world.host.disk.root, `/new/groups/${groupA}/group.json`);
    expect([killedAt, state?.kind]).toEqual([killedAt, "file"]);
  }
});

test("fault 20: an older image of the store is gone on with when that is confirmed, and what was beyond it is set aside", async () => {
  const world = await started();
  const peer = await world.connect();
  await store(world, peer, 1, 2, 3);
  const other = await world.connect(hello({ group: groupB, groupName: "others" }));
  await store(world, other, 1);
  await world.stop();
  for (const seq of [2, 3]) world.host.files.remove(piecePath(seq));
  await world.start();
  expect(world.appliance.status()).toMatchObject([
    { id: groupA, state: "stopped", why: expect.stringContaining("'tidemark rebuild --in-place'") },
    { id: groupB, state: "open" },
  ]);
  await world.stop();
  await expect(rebuild(world, { isInPlace: true })).rejects.toThrow(
    /of disks it has the records up to 1, and had them up to 3.*--confirm disks$/,
  );
  const result = await rebuild(world, { isInPlace: true, confirmed: ["disks"] });
  expect(result).toMatchObject({
    rebuilt: [{ id: groupA, lastSeq: 1 }],
    setAside: [{ id: groupA, storedSeq: 3, foundSeq: 1, folder: `/data/groups/${groupA}.set-aside-1` }],
    kept: [groupB],
  });
  await world.start();
  expect(world.appliance.status()).toMatchObject([
    { id: groupA, state: "open", received: 1, stored: 1 },
    { id: groupB, state: "open", received: 1, stored: 1 },
  ]);
  const next = await world.connect(hello({ firstSeq: 1, lastSeq: 3 }));
  await store(world, next, 2, 3);
  expect((await world.history(3)).map(({ record }) => record.seq)).toEqual([1, 2, 3]);
});

test("fault 20: a group with records that point to a lost segment goes on with what is there when that is confirmed", async () => {
  const world = await started();
  await world.stop();
  let isHeld = false;
  world.sealerOf = (store) => ({
    blocks: store.blocks,
    newestSegment: store.newestSegment,
    storedSeq: (group) => store.storedSeq(group),
    records: (group, afterSeq) => store.records(group, afterSeq),
    seal: (request) => store.seal(request),
    sealRecords: (request) => (isHeld ? Promise.reject(new RetryError("not yet")) : store.sealRecords(request)),
    confirmRecords: (request) => store.confirmRecords(request),
  });
  await world.start();
  const peer = await world.connect();
  await store(world, peer, 1);
  isHeld = true;
  peer.send(wireBatch({ firstSeq: 2 }, [{}]));
  const { files } = world.host;
  const sealed = () => files.list("/store/segments");
  await world.driver.until(() => sealed().length === 2 && world.folder().segments(files).length === 0);
  await world.stop();
  expect(await rebuild(world, { isInPlace: true })).toMatchObject({ kept: [groupA], setAside: [] });
  files.remove(`/store/segments/${sealed()[1]}`);
  await expect(rebuild(world, { isInPlace: true })).rejects.toThrow(
    /has the records up to 1, and not segment \d+, to which others point\..*--confirm disks$/,
  );
  expect(await rebuild(world, { isInPlace: true, confirmed: ["disks"] })).toMatchObject({
    rebuilt: [{ id: groupA, lastSeq: 1 }],
    setAside: [{ id: groupA, foundSeq: 1 }],
  });
  isHeld = false;
  await world.start();
  await store(world, await world.connect(hello({ firstSeq: 1, lastSeq: 2 })), 2);
});

test("fault 20: journals that are older than their store go on from there when that is confirmed", async () => {
  const world = await started();
  const peer = await world.connect();
  await store(world, peer, 1);
  await world.stop();
  await world.start();
  await store(world, await world.connect(hello({ life: 2 })), 2);
  await world.stop();
  const { files } = world.host;
  for (const basePosition of world.folder().pieces(files)) files.remove(world.folder().piecePath(basePosition));
  files.remove(`${world.folder().path}/group.json`);
  expect(await rebuild(world, { isInPlace: true })).toMatchObject({ rebuilt: [{ lastSeq: 2 }], setAside: [] });
  await world.start();
  expect(world.appliance.status()).toMatchObject([{ state: "open", received: 2, stored: 2 }]);
});

test("fault 18: a group of which the folder cannot say anything any more goes on with what the store has, when it is named", async () => {
  const world = await started();
  await store(world, await world.connect(), 1, 2);
  await store(world, await world.connect(hello({ group: groupB, groupName: "others" })), 1);
  await world.stop();
  for (const bit of [1, 2]) world.host.disk.fileAt(`${world.folder().path}/group.json`).flipBit(40, bit);
  await expect(rebuild(world, { isInPlace: true })).rejects.toThrow(
    new RegExp(
      `of ${groupA} it has the records up to 2, and nobody knows.*group.json is damaged.*--confirm ${groupA}$`,
    ),
  );
  expect(await rebuild(world, { isInPlace: true, confirmed: [groupA] })).toMatchObject({
    rebuilt: [{ id: groupA, name: "disks", lastSeq: 2 }],
    setAside: [{ id: groupA, name: groupA, foundSeq: 2, unreadable: expect.stringContaining("group.json") }],
    kept: [groupB],
  });
  await world.start();
  await store(world, await world.connect(hello({ life: 2 })), 3);
});

test("fault 18: a group with a gap in its pieces is named and not made, the others are; cut there it goes on before the gap", async () => {
  const world = await started();
  const peer = await world.connect();
  await store(world, peer, 1, 2, 3, 4);
  await store(world, await world.connect(hello({ group: groupB })), 1);
  await world.stop();
  world.host.files.remove(piecePath(3));
  const result = await rebuild(world, { folder: "/new" });
  expect(result).toMatchObject({
    rebuilt: [{ id: groupB }],
    broken: [{ id: groupA, why: expect.stringContaining("behind the one of the records 3 to 3"), canBeCut: true }],
  });
  const cut = await rebuild(world, { folder: "/newer", cut: [groupA] });
  expect(cut).toMatchObject({ rebuilt: [{ id: groupA, lastSeq: 2 }, { id: groupB }], broken: [] });
  expect(world.host.files.exists(piecePath(4))).toBe(false);
});

test("fault 18: no snapshot of what a cut has removed passes for a point of what comes next", async () => {
  const world = await started();
  await store(world, await world.connect(), 1, 2, 3, 4);
  const { files } = world.host;
  const history = () => historyOf(world);
  for (const seq of [2, 4]) {
    await driven(world.driver, history().makeSnapshot(seq, freely));
    const pin = { id: `pin-${seq}`, seq, keeps: "snapshot", reason: "a test" } as const;
    await driven(world.driver, history().pin(pin));
  }
  await world.stop();
  files.remove(piecePath(3));
  files.rename("/data", "/lost");
  expect(await rebuild(world, { cut: [groupA] })).toMatchObject({ rebuilt: [{ lastSeq: 2 }] });
  await world.start();
  await store(world, await world.connect(hello({ life: 2 })), 3, 4, 5);
  const seqs = (await driven(world.driver, history().snapshots())).map((one) =>
    one instanceof Snapshot ? one.seq : 0,
  );
  expect(seqs).toEqual([2]);
  expect((await driven(world.driver, history().history())).pins.map(({ id }) => id)).toEqual(["pin-2"]);
  const snapshot = await driven(world.driver, history().makeSnapshot(5, freely));
  expect([snapshot.seq, snapshot.baseSeq]).toEqual([5, 2]);
  await driven(world.driver, history().retain({ fromSeq: 4 }, freely));
});

test("fault 18: where a gap leaves nothing to go on with, it is not cut, and nothing is removed", async () => {
  const world = await started();
  await store(world, await world.connect(), 1, 2, 3, 4, 5);
  const { files } = world.host;
  const history = historyOf(world);
  await driven(world.driver, history.retain({ fromSeq: 2 }, freely));
  await world.stop();
  files.remove(piecePath(3));
  const names = files.list(`/store/pieces/${groupA}`);
  expect(await rebuild(world, { folder: "/new", cut: [groupA] })).toMatchObject({
    rebuilt: [],
    broken: [{ id: groupA, why: expect.stringContaining("cannot be cut there"), canBeCut: false }],
  });
  expect([names.length, files.list(`/store/pieces/${groupA}`)]).toEqual([2, names]);
});

test("fault 18: volumes of which only expired records told are known from the base, where the group's document is damaged", async () => {
  for (const harm of ["damaged", "older", "base damaged"]) {
    const world = await started();
    await storeResized(world);
    const { disk } = world.host;
    const { objects } = world.store ?? expect.unreachable("there is a store");
    const history = historyOf(world);
    await driven(world.driver, history.retain({ fromSeq: 2 }, freely));
    if (harm === "older") {
      const writer = { name: "disks", writer: "writer-1", life: 1, epoch: 1 };
      const bytes = encodeGroupDocument({ id: groupA, ...writer, seq: 0, volumes: [] });
      const name = groupDocumentName(groupA);
      const { version } = (await driven(world.driver, objects.readDocument(name))) ?? {};
      await driven(world.driver, objects.changeDocument(name, bytes, version));
    } else disk.fileAt(`/store/groups/${groupA}.json`).flipBit(200, 3);
    if (harm === "base damaged") disk.fileAt(`/store/snapshots/${groupA}/${"2".padStart(16, "0")}.0000`).flipBit(90, 1);
    await world.stop();
    expect(await rebuild(world, { folder: "/new" }), harm).toMatchObject(
      harm === "base damaged"
        ? { rebuilt: [], broken: [{ id: groupA, why: expect.stringContaining("snapshots/"), canBeCut: false }] }
        : { rebuilt: [{ lastSeq: 3, volumes: [{ name: "root", sizeBytes: 16384 }] }], broken: [] },
    );
  }
});

test("fault 20: who takes a store gives no number to a segment that another may have given who took it before", async () => {
  const world = await started();
  await store(world, await world.connect(), 1);
  await world.stop();
  const numbers: number[] = [];
  for (const folder of ["/one", "/two", "/three"]) {
    await rebuild(world, { folder });
    numbers.push(await driven(world.driver, SegmentCatalogue.open(world.host.files, folder).take()));
  }
  const [one, two, three] = numbers as [number, number, number];
  expect(one).toBeGreaterThan(segmentNumbersSkipped);
  expect([two - one, three - two]).toEqual([segmentNumbersSkipped, segmentNumbersSkipped]);
});

test("a store that is lost whole is begun anew in place, with nothing of what it had", async () => {
  const world = await started();
  await store(world, await world.connect(), 1);
  await world.stop();
  const { files } = world.host;
  files.remove(piecePath(1));
  for (const name of ["store.json", "store-copy.json", "segments/000000000001.0000"]) files.remove(`/store/${name}`);
  const result = await rebuild(world, { isInPlace: true, confirmed: ["disks"] });
  expect(result).toMatchObject({ store: null, rebuilt: [], setAside: [{ id: groupA, foundSeq: 0 }] });
  await world.start();
  await expect(world.connect(hello({ firstSeq: 2, lastSeq: 2 }))).rejects.toThrow(
    /unknown here.*'tidemark rebuild' comes first.*move-spool.*resync/,
  );
  await store(world, await world.connect(hello({ group: groupB })), 1);
});

test("fault 20: a store that another appliance has is not taken from it in place", async () => {
  const world = await started();
  await store(world, await world.connect(), 1);
  await world.stop();
  await rebuild(world, { folder: "/new" });
  await expect(rebuild(world, { isInPlace: true })).rejects.toThrow("belongs to another remote appliance");
});

test("a group whose history begins later is made of what is kept, whatever of the rest is still there", async () => {
  const world = await started();
  await store(world, await world.connect(), 1, 2, 3, 4);
  const { objects } = world.store ?? expect.unreachable("there is a store");
  const pieces = [];
  for await (const piece of sealedPieces(objects, groupA, undefined)) pieces.push(piece.link);
  const history = { ...wholeHistory, basedOn: 2, behind: pieces[1] };
  await driven(world.driver, changeHistory(objects, groupA, history, undefined));
  await world.stop();
  world.host.files.remove(piecePath(2));
  expect(await rebuild(world, { folder: "/new" })).toMatchObject({
    rebuilt: [{ id: groupA, firstSeq: 3, lastSeq: 4, pieceCount: 2 }],
    broken: [],
  });
  world.host.files.remove(piecePath(3));
  expect(await rebuild(world, { folder: "/newer" })).toMatchObject({ rebuilt: [], broken: [{ id: groupA }] });
});
