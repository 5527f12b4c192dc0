/** What the store says of a group beside its pieces. */
import { expect, test } from "vitest";
import { decodeGroupDocument, type GroupDocument, groupDocumentName } from "#src/journals/group-document.ts";
import { StoredGroup } from "#src/journals/stored-group.ts";
import { recordType } from "#src/records/record.ts";
import { wireBatch } from "#test/journals/wire-batch.ts";
import { groupA, hello, RemoteWorld } from "./remote-world.ts";

const about = { ordinal: 0, blockCount: 0 };
const volume = { id: "v", name: "root", sizeBytes: 1000 * 4096 };

async function started(): Promise<RemoteWorld> {
  const world = new RemoteWorld(1, { sealAfterMs: 1000, sealRetryMs: 100 }, { hasStore: true });
  await world.start();
  return world;
}

async function documentOf(world: RemoteWorld): Promise<GroupDocument | undefined> {
  const found = await world.store?.objects.readDocument(groupDocumentName(groupA));
  return found === undefined ? undefined : decodeGroupDocument(found.bytes, groupA);
}

function volumeBatch(firstSeq: number): Buffer {
  return wireBatch({ firstSeq }, [{ type: recordType.volume, ...about, extra: volume }]);
}

function resizeBatch(firstSeq: number, sizeBytes: number): Buffer {
  return wireBatch({ firstSeq }, [{ type: recordType.resize, ...about, extra: { sizeBytes, previousBytes: 0 } }]);
}

test("when records are stored the store says whose they are, who may write, and what their volumes are as of then", async () => {
  const world = await started();
  const peer = await world.connect(hello({ life: 3 }));
  peer.send(volumeBatch(1));
  await world.driver.until(() => peer.last.stored === 1);
  const volumes = [{ number: 1, ...volume }];
  expect(await documentOf(world)).toEqual({
    ...{ id: groupA, name: "disks", writer: "writer-1", life: 3, epoch: 1 },
    ...{ seq: 1, volumes },
  });
  peer.send(resizeBatch(2, 8192));
  await world.durable(peer, 2);
  expect((await documentOf(world))?.volumes).toEqual(volumes);
  await world.driver.until(() => peer.last.stored === 2);
  expect(await documentOf(world)).toMatchObject({ seq: 2, volumes: [{ sizeBytes: 8192 }] });
});

test("fault 18: what a damaged or lost document said is found in the pieces, and it is written anew", async () => {
  for (const harm of ["damaged", "lost"]) {
    const world = await started();
    const peer = await world.connect();
    peer.send(volumeBatch(1));
    await world.driver.until(() => peer.last.stored === 1);
    peer.send(resizeBatch(2, 8192));
    await world.driver.until(() => peer.last.stored === 2);
    await world.stop();
    const path = `/store/${groupDocumentName(groupA)}`;
    if (harm === "lost") world.host.files.remove(path);
    else world.host.disk.fileAt(path).flipBit(200, 3);
    await world.start();
    const objects = world.store?.objects;
    if (objects === undefined) return expect.unreachable("there is a store");
    const found = await StoredGroup.open({ objects, group: groupA, key: undefined, known: undefined });
    expect([found.writer, found.volumes, found.link?.lastSeq]).toEqual([
      undefined,
      [{ number: 1, ...volume, sizeBytes: 8192 }],
      2,
    ]);
    const next = await world.connect(hello({ life: 2 }));
    next.send(wireBatch({ firstSeq: 3 }, [{}]));
    await world.driver.until(() => next.last.stored === 3);
    expect(await documentOf(world)).toMatchObject({ seq: 3, life: 2, volumes: [{ sizeBytes: 8192 }] });
  }
});

test("fault 20: records are not sealed that point to a segment which the store had, and has no more", async () => {
  const world = await started();
  const { sealerOf } = world;
  let isOut = true;
  world.sealerOf = (store) => ({
    blocks: store.blocks,
    newestSegment: store.newestSegment,
    storedSeq: (group) => store.storedSeq(group),
    confirmRecords: (request) => store.confirmRecords(request),
    records: (group, afterSeq) => store.records(group, afterSeq),
    seal: (request) => store.seal(request),
    sealRecords: async (request) => (isOut ? 0 : await store.sealRecords(request)),
  });
  await world.stop();
  await world.start();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{}]));
  await world.driver.until(() => world.store?.store.segments.has(1) === true);
  await world.driver.until(() => world.folder().segments(world.host.files).length === 0);
  await world.stop();
  world.host.files.remove("/store/segments/000000000001.0000");
  isOut = false;
  world.sealerOf = sealerOf;
  await world.start();
  await world.driver.until(() => world.appliance.status()[0]?.sealWhy !== undefined);
  expect(world.appliance.status()[0]).toMatchObject({
    stored: 0,
    sealWhy: expect.stringMatching(/lacks segment 1, .*tidemark rebuild/),
  });
});
