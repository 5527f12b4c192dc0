import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { recordType } from "#src/records/record.ts";
import { driven } from "#test/contract/driver.ts";
import { epochBatch, payloadOf, wireBatch } from "#test/journals/wire-batch.ts";
import { groupA, groupB, hello, RemoteWorld } from "./remote-world.ts";

async function started(seed = 1): Promise<RemoteWorld> {
  const world = new RemoteWorld(seed);
  await world.start();
  return world;
}

test("what a local appliance sends is in the journals, in its order and with its payload", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(
    wireBatch({ firstSeq: 1 }, [
      { type: recordType.volume, ordinal: 0, blockCount: 0, extra: { id: "v", name: "root", sizeBytes: 1 << 30 } },
      { startBlock: 5, blockCount: 3, content: 11 },
      { type: recordType.trim, startBlock: 9, blockCount: 100 },
    ]),
    wireBatch({ firstSeq: 4 }, [{ startBlock: 6, blockCount: 1, content: 12 }]),
  );
  expect(peer.last).toEqual({ received: 4, durable: 0, stored: 0 });
  await world.durable(peer, 4);
  const found = world.content(4);
  expect(found.map(({ record }) => [record.seq, record.type, record.startBlock, record.blockCount])).toEqual([
    [1, recordType.volume, 0, 0],
    [2, recordType.write, 5, 3],
    [3, recordType.trim, 9, 100],
    [4, recordType.write, 6, 1],
  ]);
  expect(found[1]?.payload).toEqual(payloadOf(11, 3));
  expect(found[3]?.payload).toEqual(payloadOf(12, 1));
  expect(world.appliance.status()).toMatchObject([
    { name: "disks", state: "open", received: 4, durable: 4, segmentCount: 1, volumes: [{ number: 1, name: "root" }] },
  ]);
});

test("what nobody asks for becomes durable by itself, in a time that a sync is worth", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{}]));
  await world.driver.until(() => peer.last.durable === 1);
  const quickMs = world.host.clock.monotonicMs();
  peer.send(wireBatch({ firstSeq: 2 }, [{}]));
  world.host.disk.stall(200);
  await world.driver.until(() => peer.last.durable === 2);
  peer.send(wireBatch({ firstSeq: 3 }, [{}]));
  const slowMs = world.host.clock.monotonicMs();
  await world.driver.until(() => peer.last.durable === 3);
  expect(quickMs).toBeLessThan(100);
  expect(world.host.clock.monotonicMs() - slowMs).toBeGreaterThanOrEqual(500);
});

test("faults 5 and 24: a batch that comes again is applied once", async () => {
  const world = await started();
  const first = await world.connect();
  const batch = wireBatch({ firstSeq: 1 }, [{}, {}, {}]);
  first.send(batch, batch);
  // The acknowledgement is lost with the connection.
  first.owner.closed();
  const second = await world.connect();
  expect(second.welcome.received).toBe(3);
  second.send(batch, wireBatch({ firstSeq: 4 }, [{}]), batch);
  expect(second.last.received).toBe(4);
  expect(world.content(4).map(({ record }) => record.seq)).toEqual([1, 2, 3, 4]);
});

test("of a batch that begins with known records the rest is taken", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{}, {}]));
  peer.send(wireBatch({ firstSeq: 1 }, [{}, {}, { blockCount: 2, content: 3 }]));
  expect(peer.last.received).toBe(3);
  expect(world.content(3).at(-1)?.payload).toEqual(payloadOf(3, 2));
});

test("fault 24: a gap ends the connection, and what came before it is kept", async () => {
  const world = await started();
  const peer = await world.connect(hello({ firstSeq: 1, lastSeq: 9 }));
  const [one, two, four] = [1, 2, 4].map((firstSeq) => wireBatch({ firstSeq }, [{}])) as [Buffer, Buffer, Buffer];
  expect(() => peer.send(one, two, four)).toThrow(/gap: after record 2 comes 4/);
  peer.owner.closed();
  const again = await world.connect(hello({ firstSeq: 1, lastSeq: 9 }));
  expect(again.welcome.received).toBe(2);
});

test("fault 25: a batch whose payload has one bit the other way round is not taken, and counted", async () => {
  const world = await started();
  const peer = await world.connect();
  const batch = wireBatch({ firstSeq: 1 }, [{ blockCount: 2 }, { blockCount: 2 }]);
  batch[64 + blockBytes * 3 + 17] = (batch[64 + blockBytes * 3 + 17] as number) ^ 4;
  expect(() => peer.send(batch)).toThrow(/payload of record 2 did not arrive/);
  peer.owner.closed();
  const again = await world.connect();
  expect(again.welcome.received).toBe(0);
  expect(world.appliance.status()).toMatchObject([{ checksumErrors: 1 }]);
});

test("fault 25: no bit of a batch can be the other way round unnoticed", async () => {
  const world = await started();
  const sound = wireBatch({ firstSeq: 1 }, [{ type: recordType.mark, blockCount: 0, extra: { name: "x" } }, {}]);
  const meaningful = 64 + blockBytes + 40 + 16 + 40 + 8;
  for (let at = 0; at < meaningful; at += at >= 72 && at < blockBytes ? 997 : 1) {
    const peer = await world.connect();
    const batch = Buffer.from(sound);
    batch[at] = (batch[at] as number) ^ (1 << (at % 8));
    expect(() => peer.send(batch), `byte ${at}`).toThrow(/did not arrive as it was sent/);
    expect(world.appliance.status()).toMatchObject([{ received: 0 }]);
  }
});

test("fault 26: of two writers of one group the older is refused, and so is one of the same life", async () => {
  const world = await started();
  await world.connect(hello({ writer: "new", life: 2 }));
  await expect(world.connect(hello({ writer: "old", life: 1 }))).rejects.toThrow(/two writers/);
  await expect(world.connect(hello({ writer: "other", life: 2 }))).rejects.toThrow(/two writers/);
  await world.stop();
  await world.start();
  await expect(world.connect(hello({ writer: "old", life: 1 }))).rejects.toThrow(/two writers/);
});

test("fault 26: a refused writer does not end the connection of the right one", async () => {
  const world = await started();
  const right = await world.connect(hello({ writer: "new", life: 2 }));
  await expect(world.connect(hello({ writer: "old", life: 1 }))).rejects.toThrow(/two writers/);
  right.send(wireBatch({ firstSeq: 1 }, [{}]));
  expect([right.closedWhy, right.last.received]).toEqual([undefined, 1]);
});

test("the same writer's new connection takes the place of the old one, from which nothing is taken any more", async () => {
  const world = await started();
  const old = await world.connect();
  const fresh = await world.connect();
  expect(old.closedWhy).toMatch(/newer connection/);
  expect(() => old.send(wireBatch({ firstSeq: 1 }, [{}]))).toThrow(/newer connection/);
  old.owner.closed();
  fresh.send(wireBatch({ firstSeq: 1 }, [{}]));
  expect(fresh.last.received).toBe(1);
});

test("fault 20: an old copy of the local appliance's data is told by its epoch", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{}]));
  peer.send(epochBatch(2, 100, 1, 1));
  expect(peer.last.received).toBe(100);
  await expect(world.connect(hello({ writer: "w2", life: 2, epoch: 1 }))).rejects.toThrow(/old copy/);
});

test("fault 20: an old copy of the remote's data is told where the spool goes on", async () => {
  const world = await started();
  await expect(world.connect(hello({ firstSeq: 50, lastSeq: 60 }))).rejects.toThrow(/unknown here/);
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{}, {}]));
  await expect(world.connect(hello({ firstSeq: 50, lastSeq: 60 }))).rejects.toMatchObject({ name: "ResyncError" });
});

test("a jump without what it leaves behind is refused, and a legal one taken", async () => {
  const world = await started();
  const first = await world.connect();
  first.send(wireBatch({ firstSeq: 1 }, [{}, {}]));
  const peer = await world.connect(hello({ epoch: 2, firstSeq: 100, lastSeq: 100 }));
  expect(() => peer.send(epochBatch(2, 100, 1, 3))).toThrow(expect.objectContaining({ name: "ResyncError" }));
  peer.owner.closed();
  const again = await world.connect(hello({ epoch: 2 }));
  again.send(epochBatch(2, 100, 1, 2), wireBatch({ epoch: 2, firstSeq: 101 }, [{}]));
  expect(again.last.received).toBe(101);
  expect(world.content(101).map(({ record }) => [record.epoch, record.seq])).toEqual([
    [1, 1],
    [1, 2],
    [2, 100],
    [2, 101],
  ]);
});

test("fault 33: a group's name cannot lead out of the folder", async () => {
  const world = await started();
  for (const group of ["../../etc", "", "A".repeat(32), `${groupA}/`]) {
    await expect(world.connect(hello({ group }))).rejects.toMatchObject({ name: "RefuseError" });
  }
  expect(world.host.files.list("/data/groups")).toEqual([]);
});

test("groups share the segment numbers, and no number is given twice, over starts and kills", async () => {
  const world = await started();
  const used: number[] = [];
  for (let round = 1; round <= 4; round++) {
    for (const group of [groupA, groupB]) {
      const peer = await world.connect(hello({ group, life: round }));
      peer.send(wireBatch({ firstSeq: peer.welcome.received + 1 }, [{}]));
    }
    if (round % 2 === 0) world.host.kill();
    else await world.stop();
    await world.start();
  }
  for (const group of [groupA, groupB]) used.push(...world.folder(group).segments(world.host.files));
  expect(used.length).toBe(8);
  expect(new Set(used).size).toBe(8);
});

test("fault 18: a catalogue of segment numbers that is older than the journals stops them", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{}]));
  await world.stop();
  world.host.files.remove("/data/segments.json");
  await world.start();
  expect(world.appliance.status()).toMatchObject([{ state: "stopped", why: expect.stringContaining("older than") }]);
  await expect(world.connect(hello({ life: 2 }))).rejects.toMatchObject({ name: "StopError" });
});

test("credit comes back as data lands, and stops while too much of it is not durable", async () => {
  const world = new RemoteWorld(1, { creditBytes: 64 * 1024, undurableBytesMax: 100 * 1024, syncAfterMs: 1e9 });
  await world.start();
  const peer = await world.connect();
  let sentBytes = 0;
  let seq = 1;
  const send = (): boolean => {
    const batch = wireBatch({ firstSeq: seq }, [{ blockCount: 2 }]);
    if (sentBytes + batch.length > peer.creditBytes) return false;
    sentBytes += batch.length;
    peer.send(batch);
    seq++;
    return true;
  };
  while (send());
  expect(sentBytes).toBeGreaterThan(100 * 1024);
  expect(sentBytes).toBeLessThan(200 * 1024);
  await world.durable(peer, peer.last.received);
  expect(send()).toBe(true);
});

test("fault 18: a turned bit in the catalogue of segment numbers is turned back; with two, groups are stopped in words", async () => {
  for (const [bits, state] of [
    [[1], "open"],
    [[1, 2], "stopped"],
  ] as const) {
    const world = await started();
    (await world.connect()).send(wireBatch({ firstSeq: 1 }, [{}]));
    await world.stop();
    for (const bit of bits) world.host.disk.fileAt("/data/segments.json").flipBit(40, bit);
    await world.start();
    const [group] = world.appliance.status();
    expect([group?.state, group?.received]).toEqual([state, state === "open" ? 1 : 0]);
    if (state === "open") continue;
    const why = /segments.json is damaged.*'tidemark rebuild --in-place' writes it anew/;
    expect(group?.why).toMatch(why);
    await expect(world.connect(hello({ group: groupB }))).rejects.toThrow(why);
  }
});

/** Both groups have a record each; of what is noted of the first one bits are turned, as many as are named. */
async function withTurnedBits(...bits: readonly number[]): Promise<RemoteWorld> {
  const world = await started();
  for (const group of [groupA, groupB]) (await world.connect(hello({ group }))).send(wireBatch({ firstSeq: 1 }, [{}]));
  await world.stop();
  const file = world.host.disk.fileAt(`/data/groups/${groupA}/group.json`);
  for (const bit of bits) file.flipBit(40, bit);
  await world.start();
  return world;
}

test("fault 18: a turned bit in what is noted of a group is in the way of nobody, and goes", async () => {
  const world = await withTurnedBits(1);
  expect(world.content(1).map(({ record }) => record.seq)).toEqual([1]);
  expect(world.appliance.status()).toMatchObject([{ state: "open" }, { state: "open" }]);
  expect((await world.connect(hello({ life: 2 }))).welcome.received).toBe(1);
});

test("fault 18: a group that cannot be read says so with a way out, and does not hinder the others", async () => {
  const world = await withTurnedBits(1, 2);
  const why = /group.json is damaged.*'tidemark rebuild --in-place' makes the group anew/;
  expect(world.appliance.status()).toMatchObject([
    { id: groupB, state: "open" },
    { id: groupA, name: groupA, state: "stopped", why: expect.stringMatching(why), volumes: [] },
  ]);
  await expect(world.connect(hello({ life: 2 }))).rejects.toThrow(why);
  expect((await world.connect(hello({ group: groupB, life: 2 }))).welcome.received).toBe(1);
});

test("a stop in good order leaves everything durable, also what nobody asked for", async () => {
  const world = await started();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{}, {}]));
  await world.stop();
  expect(peer.closedWhy).toMatch(/stops/);
  world.host.cutPower();
  await world.start();
  expect(world.appliance.status()).toMatchObject([{ received: 2, durable: 2 }]);
  expect(world.content(2).length).toBe(2);
  await driven(world.driver, world.appliance.stop());
});
