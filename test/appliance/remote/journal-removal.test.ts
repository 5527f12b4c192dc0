/** Pieces of the metadata journal that the store has go from the remote's own disk. */
import { expect, test } from "vitest";
import type { Sealer } from "#src/appliance/remote/group-sealing.ts";
import { RemoteGroupStateFile } from "#src/appliance/remote/remote-group-state.ts";
import { recoverJournals } from "#src/journals/journal-recovery.ts";
import { GroupHistory } from "#src/synth/group-history.ts";
import { driven } from "#test/contract/driver.ts";
import { wireBatch } from "#test/journals/wire-batch.ts";
import { durableNode } from "#test/sites/file-tree.ts";
import { freely } from "#test/store/memory-store.ts";
import { groupA, hello, type LocalPeer, RemoteWorld } from "./remote-world.ts";
import type { SimStore } from "./sim-store.ts";

function worldOf(options = {}, seed = 1): RemoteWorld {
  return new RemoteWorld(
    seed,
    { sealAfterMs: 1000, sealRetryMs: 100, keptPieceBytes: 0, ...options },
    { hasStore: true },
  );
}

/** Each life has a piece of its own, with one record. All of them are stored. */
async function live(world: RemoteWorld, ...seqs: readonly number[]): Promise<LocalPeer> {
  let peer: LocalPeer | undefined;
  for (const seq of seqs) {
    if (world.appliance !== undefined) await world.stop();
    await world.start();
    const next = await world.connect(hello({ life: seq, writer: `writer-${seq}` }));
    next.send(wireBatch({ firstSeq: seq }, [{ content: seq }]));
    await world.driver.until(() => next.last.stored === seq);
    peer = next;
  }
  return peer as LocalPeer;
}

/** How many there are, and behind which record they begin. */
function pieces(world: RemoteWorld): readonly [number, number] {
  const { files } = world.host;
  const state = RemoteGroupStateFile.read(files, world.folder().path, groupA)?.state;
  return [world.folder().pieces(files).length, state?.journalStart.seq ?? -1];
}

async function expectWhole(world: RemoteWorld, lastSeq: number): Promise<void> {
  const found = (await world.history(lastSeq)).map(({ record }) => record.seq);
  expect(found).toEqual(Array.from({ length: lastSeq }, (_, index) => index + 1));
}

test("what is sealed goes but for the newest piece, and the history is whole from the store and the rest", async () => {
  const world = worldOf();
  await live(world, 1, 2, 3, 4);
  await world.driver.until(() => pieces(world)[0] === 1);
  expect(pieces(world)).toEqual([1, 3]);
  await expectWhole(world, 4);
  await world.stop();
  await world.start();
  expect(world.appliance.status()).toMatchObject([{ state: "open", received: 4, stored: 4 }]);
  await live(world, 5);
  await expectWhole(world, 5);
});

test("as much as is to be kept stays, the newest of it", async () => {
  const world = worldOf({ keptPieceBytes: 2 ** 20 });
  await live(world, 1, 2, 3);
  expect(pieces(world)).toEqual([3, 0]);
});

test("records that only the store has are fetched, and then those of the journals", async () => {
  const world = worldOf();
  await live(world, 1, 2, 3);
  await world.driver.until(() => pieces(world)[0] === 1);
  const peer = await world.connect(hello({ life: 9, writer: "writer-9", firstSeq: 1, lastSeq: 1 }));
  peer.owner.fetch(1);
  await world.driver.until(() => peer.hasFetched);
  expect(peer.fetched).toHaveLength(2);
});

/** The store's own, but for what it says of records that are to go. */
function confirming(confirm: (store: SimStore) => Sealer["confirmRecords"]): (store: SimStore) => Sealer {
  return (store) => ({
    blocks: store.blocks,
    newestSegment: store.newestSegment,
    storedSeq: (group) => store.storedSeq(group),
    records: (group, afterSeq) => store.records(group, afterSeq),
    seal: (request) => store.seal(request),
    sealRecords: (request) => store.sealRecords(request),
    confirmRecords: confirm(store),
  });
}

test("while somebody reads nothing is removed, and what was noted to go goes later", async () => {
  const world = worldOf();
  let isHeld = true;
  const held = Promise.withResolvers<void>();
  world.sealerOf = confirming((store) => async (request) => {
    const start = await store.confirmRecords(request);
    if (isHeld) await held.promise;
    return start;
  });
  const peer = await live(world, 1, 2);
  peer.fetchRoom = 1;
  peer.owner.fetch(0);
  await world.driver.until(() => peer.fetched.length === 1);
  isHeld = false;
  held.resolve();
  await world.driver.until(() => pieces(world)[1] === 1);
  let isLater = false;
  world.host.clock.timer(5000, () => {
    isLater = true;
  });
  await world.driver.until(() => isLater);
  expect(pieces(world)[0]).toBe(2);
  peer.fetchRoom = 9;
  peer.owner.drained();
  await world.driver.until(() => peer.hasFetched);
  peer.send(wireBatch({ firstSeq: 3 }, [{}]));
  await world.driver.until(() => peer.last.stored === 3 && pieces(world)[0] === 1);
});

test("fault 18: what the store has otherwise than the journal stays in the journal", async () => {
  const world = worldOf();
  let lies = 0;
  world.sealerOf = (store) => ({
    ...confirming((real) => (request) => real.confirmRecords(request))(store),
    sealRecords: async (request) => {
      const storedSeq = await store.sealRecords(request);
      for (const name of world.host.files.list(`/store/pieces/${groupA}`)) {
        if (lies > 0) continue;
        lies++;
        world.host.disk.fileAt(`/store/pieces/${groupA}/${name}`).flipBit(140, 1);
      }
      return storedSeq;
    },
  });
  await live(world, 1, 2, 3);
  expect(pieces(world)).toEqual([3, 0]);
});

test("fault 9: pieces that a loss of power brings back go at the next start", async () => {
  const world = worldOf();
  await live(world, 1, 2);
  const [oldest = 0] = world.folder().pieces(world.host.files);
  const handle = world.host.files.open(world.folder().piecePath(oldest), "read");
  const bytes = Buffer.alloc(handle.sizeBytesNow());
  handle.readNow(bytes, 0, bytes.length, 0);
  handle.close();
  await world.driver.until(() => pieces(world)[0] === 1);
  await world.stop();
  const again = world.host.files.create(world.folder().piecePath(oldest));
  again.writeNow(bytes, 0, bytes.length, 0);
  again.close();
  expect(pieces(world)).toEqual([2, 1]);
  await world.start();
  expect(pieces(world)).toEqual([1, 1]);
  await expectWhole(world, 2);
});

/** What the start of the group does first. Nobody waits for it. */
function beginRecovery(world: RemoteWorld): void {
  const { files } = world.host;
  const folder = world.folder();
  const { state } = RemoteGroupStateFile.read(files, folder.path, groupA) ?? expect.unreachable("the group is there");
  const { incarnation, checkpointSeq, journalStart: start } = state;
  const identity = { group: groupA, incarnation };
  void recoverJournals({ files, folder, identity, checkpointSeq, durableSeq: checkpointSeq, start, see: () => {} });
}

test("faults 9 and 10: what was noted just before a kill is noted for good before the next start removes anything", async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const world = worldOf({}, seed);
    await live(world, 1, 2);
    const [oldest = 0] = world.folder().pieces(world.host.files);
    const { disk } = world.host;
    await world.driver.until(() => pieces(world)[1] === 1);
    expect(pieces(world)).toEqual([2, 1]);
    world.host.kill();
    beginRecovery(world);
    await world.driver.until(() => durableNode(disk.root, world.folder().piecePath(oldest)) === undefined);
    world.host.cutPower();
    await world.start();
    expect(world.appliance.status(), `seed ${seed}`).toMatchObject([{ state: "open", received: 2, stored: 2 }]);
    await expectWhole(world, 2);
    expect(pieces(world)).toEqual([1, 1]);
  }
});

test("what has gathered goes piece by piece, one for each time that something is stored", async () => {
  const world = worldOf({ keptPieceBytes: 2 ** 20 });
  await live(world, 1, 2, 3, 4);
  expect(pieces(world)).toEqual([4, 0]);
  await world.stop();
  const eager = worldOf();
  Object.assign(world.options, eager.options);
  await live(world, 5);
  await world.driver.until(() => pieces(world)[1] === 1);
  await live(world, 6);
  await world.driver.until(() => pieces(world)[1] === 2);
  await expectWhole(world, 6);
});

test("what retention has let go of in the store before goes here too", async () => {
  const world = worldOf({ keptPieceBytes: 2 ** 20 });
  await live(world, 1, 2, 3, 4);
  const { clock, randomness } = world.host;
  const { objects } = world.store ?? expect.unreachable("there is a store");
  const history = new GroupHistory({ clock, randomness, objects, key: undefined, group: groupA });
  await driven(world.driver, history.retain({ fromSeq: 3 }, freely));
  Object.assign(world.options, worldOf().options);
  for (const seq of [5, 6, 7, 8]) {
    await live(world, seq);
    await world.driver.until(() => pieces(world)[1] >= seq - 4);
  }
});
