import { expect, test } from "vitest";
import type { Sealer, SealRequest } from "#src/appliance/remote/group-sealing.ts";
import type { RemoteGroupStatus } from "#src/appliance/remote/remote-group-status.ts";
import { RetryError, StopError } from "#src/core/errors.ts";
import { recordType } from "#src/records/record.ts";
import { wireBatch } from "#test/journals/wire-batch.ts";
import { groupA, hello, type LocalPeer, RemoteWorld } from "./remote-world.ts";
import type { SimStore } from "./sim-store.ts";

const sealAfterMs = 1000;

async function started(sealerOf?: (store: SimStore) => Sealer, options = {}): Promise<RemoteWorld> {
  const world = new RemoteWorld(1, { sealAfterMs, sealRetryMs: 100, ...options }, { hasStore: true });
  if (sealerOf !== undefined) world.sealerOf = sealerOf;
  await world.start();
  return world;
}

function statusOf(world: RemoteWorld): RemoteGroupStatus {
  const [status] = world.appliance.status();
  if (status === undefined) return expect.unreachable("there is a group");
  return status;
}

async function waitMs(world: RemoteWorld, delayMs: number): Promise<void> {
  let isOver = false;
  world.host.clock.timer(delayMs, () => {
    isOver = true;
  });
  await world.driver.until(() => isOver);
}

/** The store's own, but for what `refuse` throws. */
function refusing(refuse: (request: SealRequest) => void): (store: SimStore) => Sealer {
  return (store) => ({
    blocks: store.blocks,
    newestSegment: store.newestSegment,
    storedSeq: (group) => store.storedSeq(group),
    confirmRecords: (request) => store.confirmRecords(request),
    records: (group, afterSeq) => store.records(group, afterSeq),
    sealRecords: (request) => store.sealRecords(request),
    seal: async (request) => {
      refuse(request);
      await store.seal(request);
    },
  });
}

async function stored(world: RemoteWorld, peer: LocalPeer, seq: number): Promise<void> {
  await world.driver.until(() => peer.last.stored >= seq);
}

test("what has landed is stored when it is old enough, payload first, and its files are gone then", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{ blockCount: 3 }, { content: 1 }, { content: 9 }]));
  await world.durable(peer, 3);
  await waitMs(world, sealAfterMs / 2);
  expect(peer.last).toEqual({ received: 3, durable: 3, stored: 0 });
  await stored(world, peer, 3);
  expect(world.folder().segments(world.host.files)).toEqual([]);
  expect(statusOf(world)).toMatchObject({ stored: 3, segmentCount: 0, unsealedBytes: 0 });
  peer.send(wireBatch({ firstSeq: 4 }, [{ content: 4 }]));
  await stored(world, peer, 4);
  expect(world.store?.store.segments.count).toBe(2);
  expect((await world.history(4)).length).toBe(4);
});

test("records without a payload are stored too", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{ type: recordType.trim, blockCount: 7 }]));
  await stored(world, peer, 1);
  expect(world.store?.store.segments.count).toBe(0);
  peer.send(wireBatch({ firstSeq: 2 }, [{ type: recordType.flush, blockCount: 0 }, {}]));
  await stored(world, peer, 3);
  expect(world.store?.store.segments.count).toBe(1);
});

test("records whose payload is stored are stored after a restart, though nobody comes and brings more", async () => {
  let isOut = true;
  const world = await started((store) => ({
    ...refusing(() => {})(store),
    sealRecords: async (request) => {
      if (isOut) throw new RetryError("the store is out of reach");
      return await store.sealRecords(request);
    },
  }));
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{}]));
  await world.driver.until(() => statusOf(world).sealWhy !== undefined);
  await world.stop();
  isOut = false;
  await world.start();
  expect(world.folder().segments(world.host.files)).toEqual([]);
  await world.driver.until(() => statusOf(world).stored === 1);
});

test("what somebody waits for is sealed at once, and what came with it, though it is little and hosts write", async () => {
  const world = await started(undefined, { sealAfterMs: 3_600_000 });
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{ blockCount: 3 }, { content: 1 }]));
  world.appliance.sealUpTo(groupA, 1);
  await stored(world, peer, 2);
  expect(world.host.clock.monotonicMs()).toBeLessThan(60_000);
  // A volume of which nothing was written has records too.
  peer.send(wireBatch({ firstSeq: 3 }, [{ type: recordType.flush, blockCount: 0 }]));
  world.appliance.sealUpTo(groupA, 3);
  await stored(world, peer, 3);
  // What a restart left waits for nobody else either.
  peer.send(wireBatch({ firstSeq: 4 }, [{}]));
  await world.durable(peer, 4);
  await world.stop();
  await world.start();
  world.appliance.sealUpTo(groupA, 4);
  await world.driver.until(() => statusOf(world).stored === 4);
  expect(world.host.clock.monotonicMs()).toBeLessThan(60_000);
  expect(() => world.appliance.sealUpTo("b".repeat(32), 1)).toThrow("no group");
});

/** Counts openings, and its `seal` hangs. */
function hanging(opened: () => void): (store: SimStore) => Sealer {
  return (store) => ({
    ...refusing(() => {})(store),
    storedSeq: (group) => {
      opened();
      return store.storedSeq(group);
    },
    seal: () => new Promise(() => {}),
  });
}

/** The disk becomes full, and has room again, when something waits for the store. */
async function fullOnce(world: RemoteWorld): Promise<void> {
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{}]));
  await world.durable(peer, 1);
  await waitMs(world, 2 * sealAfterMs);
  const { faults, spaceBytes } = world.host.disk;
  faults.capacityBytes = spaceBytes;
  expect(() => peer.send(wireBatch({ firstSeq: 2 }, [{}]))).toThrow("no room");
  faults.capacityBytes = 2 ** 30;
}

test("fault 17: a store that hangs keeps no group from being opened again, nor from its end in good order", async () => {
  let openings = 0;
  const world = await started(
    hanging(() => openings++),
    { fullProbeMs: 100 },
  );
  await fullOnce(world);
  await world.driver.until(() => statusOf(world).state === "open");
  expect(openings).toBe(2);
  await waitMs(world, 2 * sealAfterMs);
  await world.stop();
  expect(statusOf(world)).toMatchObject({ received: 1, durable: 1, stored: 0 });
});

test("fault 37: a store that cannot be asked just now stops no group for good", async () => {
  let isOut = true;
  const sealerOf = (store: SimStore): Sealer => ({
    ...refusing(() => {})(store),
    storedSeq: async (group) => {
      if (isOut) throw new RetryError("too many files are open");
      return await store.storedSeq(group);
    },
  });
  const world = await started(sealerOf, { fullProbeMs: 100 });
  await expect(world.connect()).rejects.toMatchObject({ name: "RetryError" });
  isOut = false;
  await world.driver.until(() => statusOf(world).state === "open");
  await world.connect();
});

test("a group that was full is not opened again at the end", async () => {
  let openings = 0;
  const world = await started(
    hanging(() => openings++),
    { fullProbeMs: 100 },
  );
  await fullOnce(world);
  await world.driver.until(() => world.host.files.exists(`${world.folder().path}/room.unpublished`));
  await world.stop();
  expect(openings).toBe(1);
});

test("what the store said is stored is stored after a restart", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{}, {}]));
  await stored(world, peer, 2);
  await world.stop();
  await world.start();
  const next = await world.connect(hello({ life: 2 }));
  expect(next.welcome).toMatchObject({ received: 2, durable: 2, stored: 2 });
});

test("fault 21: a store that is out of reach is asked again, and the status says why until then", async () => {
  let isOut = true;
  const world = await started(
    refusing(() => {
      if (isOut) throw new RetryError("the store is out of reach");
    }),
  );
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{ blockCount: 2 }]));
  await world.driver.until(() => statusOf(world).sealWhy !== undefined);
  expect(statusOf(world)).toMatchObject({ sealWhy: "the store is out of reach", unsealedBytes: 8192, stored: 0 });
  isOut = false;
  await stored(world, peer, 1);
  expect(statusOf(world).sealWhy).toBeUndefined();
});

test("a segment that cannot be sealed keeps nobody else from it, but nothing behind it is called stored", async () => {
  const world = await started(
    refusing(({ segment }) => {
      if (segment === 1) throw new StopError("this one is beyond help");
    }),
  );
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{}]));
  await world.driver.until(() => statusOf(world).sealWhy !== undefined);
  peer.send(wireBatch({ firstSeq: 2 }, [{}]));
  await world.driver.until(() => world.store?.store.segments.has(2) === true);
  await waitMs(world, 3 * sealAfterMs);
  expect(peer.last).toEqual({ received: 2, durable: 2, stored: 0 });
  expect(world.folder().segments(world.host.files)).toEqual([1]);
  expect((await world.history(2)).length).toBe(2);
});

test("fault 18: what the disk does not give just now is not sealed as damaged, and stays", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{ blockCount: 2 }]));
  await world.durable(peer, 1);
  const path = world.folder().dataPath(1);
  const handle = world.host.files.open(path, "readWrite");
  const sector = Buffer.alloc(512);
  handle.readNow(sector, 0, 512, 4096);
  world.host.disk.fileAt(path).damage(4096, 512);
  peer.send(wireBatch({ firstSeq: 2 }, [{}]));
  await world.driver.until(() => statusOf(world).sealWhy !== undefined);
  await waitMs(world, sealAfterMs);
  expect([peer.last.stored, world.folder().segments(world.host.files)]).toEqual([0, [1]]);
  handle.writeNow(sector, 0, 512, 4096);
  handle.close();
  await stored(world, peer, 2);
  expect((await world.history(2)).length).toBe(2);
});

test("fault 16: where too much waits to be sealed no more is taken, until there is less", async () => {
  let isOut = true;
  const refuse = refusing(() => {
    if (isOut) throw new RetryError("the store is out of reach");
  });
  const world = await started(refuse, { unsealedBytesMax: 4096, creditBytes: 8192 });
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{ blockCount: 2 }]));
  await world.driver.until(() => statusOf(world).sealWhy !== undefined);
  const grantedBytes = peer.creditBytes;
  peer.send(wireBatch({ firstSeq: 2 }, [{ blockCount: 2 }]));
  await world.durable(peer, 2);
  expect(peer.creditBytes).toBe(grantedBytes);
  isOut = false;
  await stored(world, peer, 1);
  await world.driver.until(() => peer.creditBytes > grantedBytes);
});

test("fault 18: no segment gets a number that the store has, though the catalogue of numbers is lost", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{ content: 1 }]));
  await stored(world, peer, 1);
  await world.stop();
  world.host.files.remove("/data/segments.json");
  await world.start();
  const next = await world.connect(hello({ life: 2 }));
  next.send(wireBatch({ firstSeq: 2 }, [{ content: 2 }]));
  await world.durable(next, 2);
  const before = await world.history(2);
  expect(before[0]?.payload.equals(before[1]?.payload as Buffer)).toBe(false);
  await stored(world, next, 2);
  expect((await world.history(2)).map(({ payload }) => payload)).toEqual(before.map(({ payload }) => payload));
  expect(world.store?.store.segments.count).toBe(2);
});

test("fault 20: a store that has less than it had is not gone on with: it is another one, or not mounted", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{}]));
  await stored(world, peer, 1);
  await world.stop();
  const { files } = world.host;
  const [piece] = files.list(`/store/pieces/${groupA}`);
  files.remove(`/store/pieces/${groupA}/${piece}`);
  await world.start();
  expect(statusOf(world)).toMatchObject({ state: "stopped", why: expect.stringContaining("not mounted") });
});

test("fault 20: journals that are older than the store are not gone on with", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{}]));
  await stored(world, peer, 1);
  await world.stop();
  for (const basePosition of world.folder().pieces(world.host.files)) {
    world.host.files.remove(world.folder().piecePath(basePosition));
  }
  world.host.files.remove(`${world.folder().path}/group.json`);
  await world.start();
  await expect(world.connect(hello({ life: 2, firstSeq: 1, lastSeq: 1 }))).rejects.toThrow("older than the store");
});
