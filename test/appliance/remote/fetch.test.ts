import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { batchMagic, batchRecords, getBatchHeader, hasSoundHeads, hasSoundPayload } from "#src/records/batch.ts";
import { decodeExtra, recordType } from "#src/records/record.ts";
import { epochBatch, payloadOf, wireBatch } from "#test/journals/wire-batch.ts";
import { hello, type LocalPeer, RemoteWorld } from "./remote-world.ts";

/** Everything of the fetched batches, found sound. */
function fetchedRecords(peer: LocalPeer) {
  return peer.fetched.flatMap((bytes) => {
    const header = getBatchHeader(bytes, 0, batchMagic.records);
    if (header === undefined || !hasSoundHeads(bytes, 0, header)) return expect.unreachable("a fetched batch is sound");
    const records = batchRecords(bytes, 0, header) ?? [];
    return records.map((record) => {
      expect(hasSoundPayload(bytes, record)).toBe(true);
      const payload = bytes.subarray(record.payloadAt, record.payloadAt + record.payloadBytes);
      const extra = decodeExtra(bytes.subarray(record.extraAt, record.extraAt + record.extraBytes));
      return { ...record, payload, extra };
    });
  });
}

async function filled(hasStore = false): Promise<{ world: RemoteWorld; peer: LocalPeer }> {
  const world = new RemoteWorld(1, { sealAfterMs: 50 }, { hasStore });
  await world.start();
  const peer = await world.connect(hello({ epoch: 2 }));
  peer.send(
    wireBatch({ firstSeq: 1, timeMicros: 10 }, [
      { content: 1, blockCount: 3 },
      { type: recordType.trim, blockCount: 9 },
    ]),
    wireBatch({ firstSeq: 3, timeMicros: 20 }, [{ content: 3, ordinal: 77, volume: 4, startBlock: 8 }]),
    epochBatch(2, 40, 1, 3),
    wireBatch({ epoch: 2, firstSeq: 41, timeMicros: 50_000 }, [{ content: 41 }]),
  );
  return { world, peer };
}

test.each([
  ["as it landed", false],
  ["sealed", true],
])("what the remote has %s comes back as it was sent, from the place asked for on", async (_, isSealed) => {
  const { world, peer } = await filled(isSealed);
  if (isSealed) await world.driver.until(() => world.store?.store.segments.count === 1);
  await world.driver.until(() => !isSealed || world.folder().segments(world.host.files).length === 0);
  peer.owner.fetch(1);
  await world.driver.until(() => peer.hasFetched);
  const records = fetchedRecords(peer);
  expect(records.map(({ epoch, seq, type, timeMicros }) => [epoch, seq, type, timeMicros])).toEqual([
    [1, 2, recordType.trim, 10],
    [1, 3, recordType.write, 20],
    [2, 40, recordType.epoch, 40_000],
    [2, 41, recordType.write, 50_000],
  ]);
  expect(records[1]).toMatchObject({ ordinal: 77, volume: 4, startBlock: 8, payload: payloadOf(3, 1) });
  expect(records[2]?.extra).toEqual({ previousEpoch: 1, previousLastSeq: 3 });
});

test("nothing behind the last record is an end at once", async () => {
  const { world, peer } = await filled();
  peer.owner.fetch(41);
  await world.driver.until(() => peer.hasFetched);
  expect(peer.fetched).toEqual([]);
});

test("a peer that is slow to take batches is waited for", async () => {
  const { world, peer } = await filled();
  peer.fetchRoom = 1;
  peer.owner.fetch(0);
  await world.driver.quiet();
  expect([peer.fetched.length, peer.hasFetched]).toEqual([1, false]);
  for (let round = 0; round < 3; round++) {
    peer.fetchRoom = 1;
    peer.owner.drained();
    await world.driver.quiet();
  }
  expect([peer.fetched.length, peer.hasFetched]).toEqual([4, false]);
  peer.fetchRoom = 1;
  peer.owner.drained();
  await world.driver.until(() => peer.hasFetched);
});

test("a block that is damaged ends the fetch before it, and is counted", async () => {
  const { world, peer } = await filled();
  const [segment] = world.folder().segments(world.host.files) as [number];
  world.host.disk.fileAt(world.folder().dataPath(segment)).flipBit(3 * blockBytes, 1);
  peer.owner.fetch(0);
  await world.driver.until(() => peer.closedWhy !== undefined);
  expect(peer.closedWhy).toMatch(/volume 4: damaged blocks 8/);
  expect(fetchedRecords(peer).map(({ seq }) => seq)).toEqual([1, 2]);
  expect(world.appliance.status()).toMatchObject([{ checksumErrors: 1, state: "open" }]);
});

test("a fetch ends with its connection, and there is one at a time", async () => {
  const { world, peer } = await filled();
  peer.fetchRoom = 1;
  peer.owner.fetch(0);
  expect(() => peer.owner.fetch(0)).toThrow(/one fetch at a time/);
  await world.driver.quiet();
  peer.owner.closed();
  peer.owner.drained();
  await world.driver.quiet();
  expect(peer.fetched.length).toBe(1);
});
