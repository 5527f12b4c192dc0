/** A store that has lost the newest pieces of a group: what else it says of them, and what is made of the rest. */
import { expect, test } from "vitest";
import { readNotedStore } from "#src/control/store-binding.ts";
import { segmentNumbersSkipped } from "#src/core/store-limits.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { decodeScrubNotes, scrubDocumentName } from "#src/store/scrub-document.ts";
import { ScrubNotebook } from "#src/store/scrub-notebook.ts";
import { groupA, groupB, hello, type RemoteWorld } from "#test/appliance/remote/remote-world.ts";
import { driven } from "#test/contract/driver.ts";
import { freely } from "#test/store/memory-store.ts";
import { historyOf, piecePath, rebuild, started, store, storeResized } from "./rebuild-world.ts";

test("fault 18: a group whose newest pieces are lost is named and not made; cut there, nothing of what was behind counts", async () => {
  const world = await started();
  await storeResized(world);
  const { files } = world.host;
  const { objects } = world.store ?? expect.unreachable("there is a store");
  const history = historyOf(world);
  await driven(world.driver, history.makeSnapshot(3, freely));
  const scrubbed = await driven(world.driver, ScrubNotebook.open(objects, world.host.log));
  scrubbed.setHead({ group: groupA, firstSeq: 3, lastSeq: 3, hash: "0".repeat(64) });
  await driven(world.driver, scrubbed.save());
  await world.stop();
  files.remove(piecePath(3));
  const why = "its newest pieces are missing: they end with record 2, and the store had those up to 3";
  const snapshotPath = `/store/snapshots/${groupA}/${"3".padStart(16, "0")}.0000`;
  const whole = files.list("/store/groups");
  expect(await rebuild(world, { folder: "/new" })).toMatchObject({
    rebuilt: [],
    broken: [{ id: groupA, why: expect.stringContaining(why), canBeCut: true }],
  });
  expect([files.list("/store/groups"), files.exists(snapshotPath)]).toEqual([whole, true]);
  const made = [{ lastSeq: 2, volumes: [{ name: "root", sizeBytes: 8192 }] }];
  expect(await rebuild(world, { folder: "/newer", cut: [groupA] })).toMatchObject({ rebuilt: made, broken: [] });
  expect(files.exists(snapshotPath)).toBe(false);
  const after = FolderObjects.openToRead(world.host, "/store");
  const bytes = (await driven(world.driver, after.readDocument(scrubDocumentName)))?.bytes ?? Buffer.alloc(0);
  expect(decodeScrubNotes(bytes).heads).toEqual([]);
  expect(await rebuild(world, { folder: "/newest" })).toMatchObject({ rebuilt: made, broken: [] });
});

/** Three records, a snapshot of the third, and then its piece is gone. */
async function withoutNewest(): Promise<RemoteWorld> {
  const world = await started();
  await store(world, await world.connect(), 1, 2, 3);
  await driven(world.driver, historyOf(world).makeSnapshot(3, freely));
  await world.stop();
  world.host.files.remove(piecePath(3));
  return world;
}

test("fault 20: what a group has lost is confirmed once, and no snapshot of it passes for a point of what comes next", async () => {
  const world = await withoutNewest();
  const { files } = world.host;
  expect(await rebuild(world, { isInPlace: true, confirmed: ["disks"] })).toMatchObject({
    rebuilt: [{ lastSeq: 2 }],
    setAside: [{ id: groupA, storedSeq: 3, foundSeq: 2 }],
  });
  expect(files.list(`/store/snapshots/${groupA}`)).toEqual([]);
});

test("fault 18: one group's damaged newest piece keeps no other from being mended, and is cut when that is wished", async () => {
  const world = await started();
  await store(world, await world.connect(), 1, 2, 3);
  await store(world, await world.connect(hello({ group: groupB, groupName: "others" })), 1, 2);
  await world.stop();
  const { files, disk } = world.host;
  files.remove(piecePath(2, groupB));
  for (const bit of [1, 4]) disk.fileAt(piecePath(3)).flipBit(20, bit);
  await expect(rebuild(world, { isInPlace: true, confirmed: ["others"] })).rejects.toThrow(
    /of disks it has the records up to 2 \(pieces\/.* is damaged .*; 'tidemark scrub' may repair that\), and had them up to 3/,
  );
  const confirmed = ["others", "disks"];
  expect(await rebuild(world, { isInPlace: true, confirmed })).toMatchObject({
    rebuilt: [{ id: groupB, lastSeq: 1 }],
    broken: [{ id: groupA, canBeCut: true }],
  });
  expect(await rebuild(world, { isInPlace: true, confirmed, cut: [groupA] })).toMatchObject({
    rebuilt: [{ id: groupA, lastSeq: 2 }],
    kept: [groupB],
    broken: [],
  });
});

test("fault 18: of a store that a new folder is made of nothing is cut by a confirmed name", async () => {
  const world = await withoutNewest();
  const { files } = world.host;
  const told = () => ["groups", `snapshots/${groupA}`].map((name) => files.list(`/store/${name}`));
  const whole = told();
  for (const folder of ["/new", "/newer"]) {
    const confirmed = folder === "/new" ? ["disks"] : [];
    expect(await rebuild(world, { folder, confirmed })).toMatchObject({
      rebuilt: [],
      broken: [{ id: groupA, why: expect.stringContaining("its newest pieces are missing"), canBeCut: true }],
    });
    expect(told()).toEqual(whole);
  }
});

test("fault 18: a name that is confirmed cuts no other group that has it, which the folder never had", async () => {
  const world = await started();
  await store(world, await world.connect(), 1, 2, 3);
  await store(world, await world.connect(hello({ group: groupB })), 1, 2);
  await world.stop();
  const { files } = world.host;
  files.rename(`/data/groups/${groupB}`, "/data/groups/elsewhere");
  files.remove(piecePath(3));
  files.remove(piecePath(2, groupB));
  for (let time = 1; time <= 2; time++) {
    expect(await rebuild(world, { isInPlace: true, confirmed: ["disks"] })).toMatchObject({
      ...(time === 1 ? { rebuilt: [{ id: groupA, lastSeq: 2 }] } : { kept: [groupA] }),
      broken: [{ id: groupB, why: expect.stringContaining("the store had those up to 2"), canBeCut: true }],
    });
  }
});

test("fault 9: what was set aside before an interruption stays confirmed by the same words, and not without them", async () => {
  const world = await started();
  await store(world, await world.connect(), 1, 2, 3);
  await world.stop();
  world.host.files.remove(piecePath(3));
  const progress = (): never => {
    throw new Error("interrupted");
  };
  const wanted = { isInPlace: true, confirmed: ["disks"] };
  await expect(rebuild(world, { ...wanted, progress })).rejects.toThrow("interrupted");
  expect(world.host.files.list("/data/groups")).toContain(`${groupA}.set-aside-1`);
  expect(await rebuild(world, { isInPlace: true })).toMatchObject({ rebuilt: [], broken: [{ id: groupA }] });
  expect(await rebuild(world, wanted)).toMatchObject({ rebuilt: [{ id: groupA, lastSeq: 2 }], broken: [] });
});

test("fault 18: a folder that cannot say any more which store is its own goes on with it when that is confirmed", async () => {
  for (const harm of ["is damaged", "is not there"]) {
    const world = await started();
    await store(world, await world.connect(), 1, 2);
    await world.stop();
    expect(await rebuild(world, { isInPlace: true })).toMatchObject({ kept: [groupA] });
    const { files, disk } = world.host;
    if (harm === "is damaged") for (const bit of [1, 2]) disk.fileAt("/data/binding.json").flipBit(40, bit);
    else files.remove("/data/binding.json");
    await expect(rebuild(world, { isInPlace: true })).rejects.toThrow(
      new RegExp(`this folder's, which cannot say so any more: .*binding.json ${harm}.*--confirm binding.json$`),
    );
    await expect(rebuild(world)).rejects.toThrow(harm === "is damaged" ? "'tidemark rebuild --in-place'" : "not empty");
    const result = await rebuild(world, { isInPlace: true, confirmed: ["binding.json"] });
    expect(result).toMatchObject({ kept: [groupA], rebuilt: [], setAside: [], broken: [] });
    expect(readNotedStore(files, "/data")).toMatchObject({ store: result.store, isRebuilding: false });
    await world.start();
    expect(world.appliance.status()).toMatchObject([{ state: "open", received: 2, stored: 2 }]);
  }
});

test("fault 18: a damaged catalogue of segment numbers is written anew in place, and no number is given again", async () => {
  const world = await started();
  await store(world, await world.connect(), 1);
  await world.stop();
  for (const bit of [1, 2]) world.host.disk.fileAt("/data/segments.json").flipBit(40, bit);
  expect(await rebuild(world, { isInPlace: true })).toMatchObject({ kept: [groupA], broken: [] });
  expect(readNotedStore(world.host.files, "/data")?.isRebuilding).toBe(false);
  await world.start();
  expect(world.appliance.status()).toMatchObject([{ state: "open", received: 1, stored: 1 }]);
  await store(world, await world.connect(hello({ life: 2 })), 2);
  expect(world.store?.newestSegment).toBeGreaterThan(segmentNumbersSkipped);
});
