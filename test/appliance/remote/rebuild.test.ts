/** A remote appliance that has lost everything but its store. */
import { expect, test } from "vitest";
import {
  newestSegment,
  type RebuiltGroup,
  rebuildGroup,
  rebuildSegmentNumbers,
} from "#src/appliance/remote/rebuilt-groups.ts";
import { segmentNumbersSkipped } from "#src/core/store-limits.ts";
import { storedGroups } from "#src/journals/stored-group.ts";
import { recordType } from "#src/records/record.ts";
import { driven } from "#test/contract/driver.ts";
import { wireBatch } from "#test/journals/wire-batch.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { LocalModel } from "./local-model.ts";
import { type FoundRecord, groupA, groupB, hello, type LocalPeer, RemoteWorld } from "./remote-world.ts";
import { SimStore } from "./sim-store.ts";

const about = { ordinal: 0, blockCount: 0 };
const volume = { id: "v", name: "root", sizeBytes: 1000 * 4096 };
const volumeRecord = { type: recordType.volume, ...about, extra: volume };

async function started(seed = 1): Promise<RemoteWorld> {
  const world = new RemoteWorld(seed, { sealAfterMs: 1000, sealRetryMs: 100 }, { hasStore: true });
  await world.start();
  return world;
}

async function stored(world: RemoteWorld, peer: LocalPeer, seq: number): Promise<void> {
  await world.driver.until(() => peer.last.stored >= seq);
}

/** The machine burns down; the store was elsewhere. What was under way is over. */
async function loseFolder(world: RemoteWorld): Promise<void> {
  world.host.cutPower();
  const { files } = world.host;
  const emptied = (path: string): void => {
    for (const { name, isFolder } of files.entries(path)) {
      if (isFolder) emptied(`${path}/${name}`);
      else files.remove(`${path}/${name}`);
    }
  };
  emptied("/data");
}

async function rebuilt(world: RemoteWorld): Promise<RebuiltGroup[]> {
  const { host: machine, driver } = world;
  for (const path of ["/data", "/data/groups"]) machine.files.makeFolder(path);
  const store = await driven(driver, SimStore.open(machine, "/store", world.index));
  const place = { machine, folder: "/data", objects: store.objects, key: undefined };
  const groups: RebuiltGroup[] = [];
  const newest = await driven(driver, newestSegment(store.objects));
  await driven(driver, rebuildSegmentNumbers(place, newest + segmentNumbersSkipped));
  for (const group of await driven(driver, storedGroups(store.objects))) {
    groups.push(await driven(driver, rebuildGroup(place, group)));
  }
  await store.objects.close();
  return groups;
}

function withoutPlace(found: readonly FoundRecord[]): unknown[] {
  return found.map(({ record, payload }) => ({ ...record, extraAt: 0, payload: payload.toString("base64") }));
}

test("groups with their volumes, sizes, epochs and the last sealed seq come back from the objects alone", async () => {
  const world = await started();
  const peer = await world.connect(hello({ life: 4, epoch: 2 }));
  const extra = { sizeBytes: 8192, previousBytes: volume.sizeBytes };
  peer.send(wireBatch({ firstSeq: 1, epoch: 2 }, [volumeRecord, {}, { type: recordType.resize, ...about, extra }, {}]));
  await stored(world, peer, 4);
  const before = withoutPlace(await world.history(4));
  peer.send(wireBatch({ firstSeq: 5, epoch: 2 }, [{}]));
  await world.durable(peer, 5);
  await loseFolder(world);
  expect(await rebuilt(world)).toEqual([
    {
      ...{ id: groupA, name: "disks", firstSeq: 1, lastSeq: 4, epoch: 2, timeMicros: 1000, pieceCount: 1 },
      volumes: [{ name: "root", sizeBytes: 8192 }],
    },
  ]);
  await world.start();
  expect(world.appliance.status()).toMatchObject([
    { id: groupA, name: "disks", state: "open", received: 4, durable: 4, stored: 4, epoch: 2, timeMicros: 1000 },
  ]);
  expect(world.appliance.status()[0]?.volumes).toEqual([{ number: 1, ...volume, sizeBytes: 8192 }]);
  expect(withoutPlace(await world.history(4))).toEqual(before);
});

test("who still has all that the store has not sends it, and what came of it is sealed behind the rest", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [volumeRecord, { content: 1 }]));
  await stored(world, peer, 2);
  const lost = wireBatch({ firstSeq: 3 }, [{ content: 2 }, { content: 3, startBlock: 9 }]);
  peer.send(lost);
  await world.durable(peer, 4);
  await loseFolder(world);
  await rebuilt(world);
  await world.start();
  const next = await world.connect(hello({ firstSeq: 3, lastSeq: 4 }));
  expect(next.welcome).toMatchObject({ received: 2, durable: 2, stored: 2 });
  next.send(lost);
  await stored(world, next, 4);
  expect((await world.history(4)).map(({ record }) => record.seq)).toEqual([1, 2, 3, 4]);
  world.host.cutPower();
  await world.start();
  expect((await world.history(4)).map(({ record }) => record.seq)).toEqual([1, 2, 3, 4]);
});

test("fault 20: who has let go of what the store lacks is told to journal his volumes anew, and is taken in when he does", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [volumeRecord, {}]));
  await stored(world, peer, 2);
  peer.send(wireBatch({ firstSeq: 3 }, [{}, {}]));
  await world.durable(peer, 4);
  await loseFolder(world);
  await rebuilt(world);
  await world.start();
  await expect(world.connect(hello({ firstSeq: 4, lastSeq: 4 }))).rejects.toThrow(
    /records 3 to 3 are neither here nor in the spool.*move-spool.*resync/,
  );
  const anew = hello({ life: 2, writer: "writer-2", epoch: 65_538, firstSeq: 2 ** 40, lastSeq: 2 ** 40 });
  const next = await world.connect(anew);
  const extra = { previousEpoch: 1, previousLastSeq: 0 };
  const epochRecord = { type: recordType.epoch, volume: 0, blockCount: 0, ordinal: 0, extra };
  next.send(wireBatch({ epoch: 65_538, firstSeq: 2 ** 40 }, [epochRecord, volumeRecord, { content: 9 }]));
  await stored(world, next, 2 ** 40 + 2);
  expect((await world.history(2 ** 40 + 2)).map(({ record }) => record.seq)).toEqual([
    ...[1, 2],
    ...[2 ** 40, 2 ** 40 + 1, 2 ** 40 + 2],
  ]);
});

test("fault 20: an old copy of the local appliance's data is refused by what the store says of who may write", async () => {
  const world = await started();
  const peer = await world.connect(hello({ life: 5, writer: "writer-5" }));
  peer.send(wireBatch({ firstSeq: 1 }, [{}]));
  await stored(world, peer, 1);
  await loseFolder(world);
  await rebuilt(world);
  await world.start();
  await expect(world.connect(hello({ life: 4, writer: "writer-4", firstSeq: 1, lastSeq: 1 }))).rejects.toThrow(
    "old copy",
  );
  await world.connect(hello({ life: 5, writer: "writer-5", firstSeq: 1, lastSeq: 1 }));
});

test("what the source lost in a power cut, and only the store still has, is fetched from there", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{ content: 5 }, { content: 6, blockCount: 3 }]));
  await stored(world, peer, 2);
  await loseFolder(world);
  await rebuilt(world);
  await world.start();
  const next = await world.connect(hello({ life: 2, writer: "writer-2", firstSeq: 1, lastSeq: 1 }));
  next.owner.fetch(1);
  await world.driver.until(() => next.hasFetched);
  expect(next.fetched).toHaveLength(1);
});

test("no segment gets the number of one that may still be on its way into the store", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{}]));
  await stored(world, peer, 1);
  peer.send(wireBatch({ firstSeq: 2 }, [{}]));
  await world.durable(peer, 2);
  const [unsealed = 0] = world.folder().segments(world.host.files);
  await loseFolder(world);
  await rebuilt(world);
  await world.start();
  const next = await world.connect(hello({ firstSeq: 2, lastSeq: 2 }));
  next.send(wireBatch({ firstSeq: 2 }, [{}]));
  await world.durable(next, 2);
  const [after = 0] = world.folder().segments(world.host.files);
  expect(after).toBeGreaterThan(unsealed + 1000);
});

test("fault 18: a group whose pieces do not go on is not made, and what is missing is said", async () => {
  const world = await started();
  const peer = await world.connect();
  for (const seq of [1, 2, 3]) {
    peer.send(wireBatch({ firstSeq: seq }, [{}]));
    await stored(world, peer, seq);
  }
  await loseFolder(world);
  world.host.files.remove(`/store/pieces/${groupA}/0000000000000002`);
  await expect(rebuilt(world)).rejects.toMatchObject({
    name: "BrokenHistoryError",
    behind: [`pieces/${groupA}/0000000000000003`],
    message: expect.stringContaining("it was sealed behind the one of the records 2 to 2"),
  });
});

test("random histories of two groups are the oracle's after a rebuild, at every seq that is stored", async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const world = await started(seed);
    const random = new SeededRandom(seed);
    const models = [new LocalModel(random, groupA), new LocalModel(random, groupB)];
    for (let round = 0; round < 3; round++) {
      for (const model of models) await model.connect(world);
      for (let step = 0; step < 12; step++) {
        for (const model of models) {
          model.write();
          model.send();
          model.ask();
          model.hear();
        }
        await world.driver.until(() => true);
      }
      const enough = random.integerBelow(3) * 1500;
      let isOver = false;
      world.host.clock.timer(enough, () => {
        isOver = true;
      });
      await world.driver.until(() => isOver);
      await loseFolder(world);
      for (const model of models) model.remoteLostUnstored();
      await rebuilt(world);
      await world.start();
    }
    for (const model of models) {
      await model.connect(world);
      await model.checkContent(world, model.peer?.welcome.received ?? 0);
    }
    await world.stop();
  }
});

test("fault 20: what lay in a segment that the store has lost is an error of just that, also after a rebuild", async () => {
  const world = await started();
  const peer = await world.connect();
  for (const seq of [1, 2]) {
    peer.send(wireBatch({ firstSeq: seq }, [{ content: seq, startBlock: 7 * seq, blockCount: 2 }]));
    await stored(world, peer, seq);
  }
  await loseFolder(world);
  world.host.files.remove("/store/segments/000000000001.0000");
  await rebuilt(world);
  await world.start();
  await expect(world.history(1)).rejects.toMatchObject({ name: "DamagedBlocksError", blocks: [7, 8] });
  const next = await world.connect(hello({ life: 2, writer: "writer-2", firstSeq: 1, lastSeq: 1 }));
  next.owner.fetch(1);
  await world.driver.until(() => next.hasFetched);
  expect(next.fetched).toHaveLength(1);
});
