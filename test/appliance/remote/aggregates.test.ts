import { describe, expect, test } from "vitest";
import { aggregateBlocksMax, aggregateRangesMax, blockBytes, MiB } from "#src/core/limits.ts";
import { describeJournal, journalLine } from "#src/journals/journal-description.ts";
import { recordType } from "#src/records/record.ts";
import { type SentAggregate, wireAggregate } from "#test/journals/wire-aggregate.ts";
import { epochBatch, payloadOf, wireBatch } from "#test/journals/wire-batch.ts";
import { groupA, groupB, hello, type LocalPeer, RemoteWorld } from "./remote-world.ts";
import { journalState } from "./volume-state.ts";

async function started(): Promise<{ world: RemoteWorld; peer: LocalPeer }> {
  const world = new RemoteWorld(1);
  await world.start();
  const peer = await world.connect(hello({ lastSeq: 1000, firstSeq: 1 }));
  peer.send(wireBatch({ firstSeq: 1 }, [{ startBlock: 0, blockCount: 8, content: 1 }]));
  return { world, peer };
}

const before = Object.fromEntries(Array.from({ length: 8 }, (_, block) => [`1/${block}`, `1.${block}`]));

/** Records 2 to 40: a trim, a zero, and three writes. */
const folded: SentAggregate = {
  firstSeq: 2,
  lastSeq: 40,
  ranges: [
    { volume: 1, startBlock: 0, blockCount: 3 },
    { volume: 1, startBlock: 2, blockCount: 2, type: recordType.zero },
  ],
  runs: [
    { startBlock: 3, payload: payloadOf(7, 2) },
    { startBlock: 9, payload: payloadOf(8, 1) },
    { volume: 2, startBlock: 0, payload: payloadOf(9, 1) },
  ],
  folded: { records: 39, bytes: 100 * blockBytes },
};
const after = {
  ...before,
  ...{ "1/0": "zeros", "1/1": "zeros", "1/2": "zeros", "1/3": "7.0", "1/4": "7.1", "1/9": "8.0", "2/0": "9.0" },
};

function state(world: RemoteWorld, lastSeq: number, group?: string): Record<string, string> {
  return Object.fromEntries(journalState(world, lastSeq, group));
}

function reconnects(act: () => void, message: RegExp): void {
  expect(act).toThrow(expect.objectContaining({ name: "ReconnectError", message: expect.stringMatching(message) }));
}

test.each([1, 2, 3, 100])(
  "an aggregate in parts of %d records applies at its last seq, and counts there",
  async (size) => {
    const { world, peer } = await started();
    const parts = wireAggregate({ ...folded, recordsPerPart: size });
    for (const part of parts.slice(0, -1)) peer.send(part);
    expect(peer.last.received).toBe(1);
    peer.send(...parts.slice(-1));
    expect(peer.last.received).toBe(40);
    expect([state(world, 1), state(world, 39), state(world, 40)]).toEqual([before, before, after]);
    peer.send(wireBatch({ firstSeq: 41 }, [{ startBlock: 9, content: 41 }]));
    expect(state(world, 41)).toEqual({ ...after, "1/9": "41.0" });
    await world.durable(peer, 41);
    expect(world.appliance.status()).toMatchObject([
      { received: 41, durable: 41, aggregateCount: 1, aggregateFoldedBytes: 96 * blockBytes },
    ]);
  },
);

test("parts that one read brings together with other batches are taken in their order", async () => {
  const { world, peer } = await started();
  const next = wireAggregate({ firstSeq: 42, lastSeq: 43, runs: [{ startBlock: 0, payload: payloadOf(43, 1) }] });
  const plain = wireBatch({ firstSeq: 41 }, [{ startBlock: 0, content: 41 }]);
  peer.send(...wireAggregate({ ...folded, recordsPerPart: 2 }), plain, ...next);
  expect(peer.last.received).toBe(43);
  expect([state(world, 41)["1/0"], state(world, 42)["1/0"], state(world, 43)["1/0"]]).toEqual(["41.0", "41.0", "43.0"]);
});

test("fault 24: an aggregate that comes again is applied once", async () => {
  const { world, peer } = await started();
  const parts = wireAggregate({ ...folded, recordsPerPart: 2 });
  peer.send(...parts);
  peer.send(...parts, ...parts);
  peer.send(wireBatch({ firstSeq: 41 }, [{ startBlock: 9, content: 41 }]));
  expect(world.content(41).filter(({ record }) => record.seq === 40).length).toBe(6);
  expect(peer.last.received).toBe(41);
});

describe("fault 24: what is no row of parts ends the connection, and nothing of it counts:", () => {
  const parts = wireAggregate({ ...folded, recordsPerPart: 2 }) as [Buffer, Buffer, Buffer];
  const others = wireAggregate({ ...folded, lastSeq: 39, recordsPerPart: 2 });
  const later = wireAggregate({ ...folded, timeMicros: 41_000, recordsPerPart: 2 });
  const plain = wireBatch({ firstSeq: 2 }, [{ startBlock: 0, content: 2 }]);

  test.each<[string, readonly (Buffer | undefined)[]]>([
    ["a part that is missing", [parts[0], parts[2]]],
    ["the first part that is missing", [parts[1]]],
    ["a part that comes twice", [parts[0], parts[1], parts[1]]],
    ["parts in another order", [parts[0], parts[2], parts[1]]],
    ["a part of another aggregate", [parts[0], others[1]]],
    ["the end of another aggregate", [parts[0], parts[1], others[2]]],
    ["a part of another time", [parts[0], later[1]]],
  ])("%s", async (_, sent) => {
    const { world, peer } = await started();
    reconnects(() => peer.send(...sent.filter((part) => part !== undefined)), /part \d of the aggregate/);
    peer.owner.closed();
    expect(world.appliance.status()).toMatchObject([{ received: 1, state: "open", aggregateCount: 0 }]);
    const again = await world.connect(hello({ life: 2, firstSeq: 1, lastSeq: 1000 }));
    again.send(...parts);
    expect(state(world, 40)).toEqual(after);
  });

  test("a part that goes on behind another batch", async () => {
    const { world, peer } = await started();
    peer.send(parts[0]);
    peer.send(plain);
    expect(peer.last.received).toBe(2);
    reconnects(() => peer.send(parts[1]), /those up to 2 are here/);
    expect(state(world, 2)).toEqual({ ...before, "1/0": "2.0" });
  });

  test("a part that goes on behind a batch that was here already", async () => {
    const { peer } = await started();
    peer.send(parts[0]);
    peer.send(wireBatch({ firstSeq: 1 }, [{ startBlock: 0, blockCount: 8, content: 1 }]));
    reconnects(() => peer.send(parts[1]), /part 1 of the aggregate .* is not the next one/);
  });

  test("a part that goes on over another connection", async () => {
    const { world, peer } = await started();
    peer.send(parts[0], parts[1]);
    const again = await world.connect(hello({ life: 2, firstSeq: 1, lastSeq: 1000 }));
    expect(again.welcome.received).toBe(1);
    reconnects(() => again.send(parts[2]), /part 2 of the aggregate of the records 2 to 40 is not the next one/);
    expect(state(world, 1)).toEqual(before);
  });

  test("an aggregate that begins with records that are here, or behind a gap", async () => {
    for (const firstSeq of [1, 3]) {
      const { peer } = await started();
      reconnects(() => peer.send(...wireAggregate({ ...folded, firstSeq })), /are here|gap/);
    }
  });
});

test("an aggregate that is begun anew, perhaps otherwise, is taken from its new beginning", async () => {
  const { world, peer } = await started();
  const longer = { ...folded, lastSeq: 50, runs: [{ startBlock: 3, payload: payloadOf(70, 2) }] };
  peer.send(...wireAggregate({ ...longer, recordsPerPart: 1 }).slice(0, 3));
  peer.send(...wireAggregate({ ...folded, recordsPerPart: 2 }));
  expect(peer.last.received).toBe(40);
  expect(state(world, 40)).toEqual(after);
});

test("what speaks of an aggregate is written when its payload can be read, and not before", async () => {
  const { world, peer } = await started();
  const piece = world.host.disk.fileAt(world.folder().piecePath(0));
  const seen: Record<string, string>[] = [];
  world.host.disk.observer = (file) => {
    if (file === piece) seen.push(state(world, 40));
  };
  peer.send(...wireAggregate({ ...folded, recordsPerPart: 1 }));
  expect(seen).toEqual([after]);
});

test("fault 25: a part with a bit the other way round anywhere is not taken", async () => {
  const { world, peer } = await started();
  const [first, ...rest] = wireAggregate({ ...folded, recordsPerPart: 5 }) as [Buffer, ...Buffer[]];
  const usedBytes = first.length - 512;
  for (let byte = 0; byte < usedBytes; byte += byte < 64 ? 1 : 97) {
    const flipped = Buffer.from(first);
    flipped[byte] = (flipped[byte] as number) ^ (1 << (byte % 8));
    expect(() => peer.send(flipped)).toThrow(expect.objectContaining({ name: "ReconnectError" }));
  }
  expect(() => peer.send(first.subarray(0, first.length - 512))).toThrow(/did not arrive as it was sent/);
  expect(peer.last.received).toBe(1);
  peer.send(first, ...rest);
  expect(state(world, 40)).toEqual(after);
});

test("a record of the kind that ends aggregates is not taken in a batch of records", async () => {
  const { peer } = await started();
  const end = { type: recordType.aggregate, volume: 0, blockCount: 0, extra: { records: 1, bytes: 0 } };
  reconnects(() => peer.send(wireBatch({ firstSeq: 2 }, [end])), /what the batch at 2 says/);
});

test("records that came as an aggregate are not given back, those before them are", async () => {
  const { world, peer } = await started();
  peer.send(...wireAggregate(folded));
  peer.send(wireBatch({ firstSeq: 41 }, [{}]));
  peer.owner.fetch(0);
  await world.driver.until(() => peer.closedWhy !== undefined);
  expect(peer.fetched.length).toBe(1);
  expect(peer.closedWhy).toMatch(/records up to 40 are here only as an aggregate/);
  const again = await world.connect(hello({ life: 2, firstSeq: 1, lastSeq: 1000 }));
  again.owner.fetch(40);
  await world.driver.until(() => again.hasFetched);
  expect(again.fetched.length).toBe(1);
});

test("an epoch may begin behind an aggregate", async () => {
  const { world, peer } = await started();
  peer.send(...wireAggregate(folded), epochBatch(2, 100, 1, 40));
  peer.send(
    ...wireAggregate({ epoch: 2, firstSeq: 101, lastSeq: 103, runs: [{ startBlock: 0, payload: payloadOf(5, 1) }] }),
  );
  world.host.kill();
  await world.start();
  expect(world.appliance.status()).toMatchObject([{ state: "open", received: 103, epoch: 2 }]);
  expect(state(world, 103)["1/0"]).toBe("5.0");
});

test("groups have their aggregates each for itself", async () => {
  const { world, peer } = await started();
  const other = await world.connect(hello({ group: groupB }));
  const otherParts = wireAggregate({
    firstSeq: 1,
    lastSeq: 3,
    runs: [{ startBlock: 5, payload: payloadOf(3, 2) }],
    recordsPerPart: 1,
  });
  const parts = wireAggregate({ ...folded, recordsPerPart: 1 });
  for (const [index, part] of parts.entries()) {
    peer.send(part);
    const otherPart = otherParts[index];
    if (otherPart !== undefined) other.send(otherPart);
  }
  expect([peer.last.received, other.last.received]).toEqual([40, 3]);
  expect(state(world, 40, groupA)).toEqual(after);
  expect(state(world, 3, groupB)).toEqual({ "1/5": "3.0", "1/6": "3.1" });
});

test("an aggregate is described as one, and one without its end as what does not count", async () => {
  const { world, peer } = await started();
  peer.send(...wireAggregate(folded));
  const lines = () => [...describeJournal(world.host.files, world.folder().path)].map(journalLine).slice(3, 11);
  const described = lines();
  expect(described[0]).toBe("  aggregate 2-40 epoch 1 at byte 1024, durable up to 0");
  expect(described[6]).toMatch(/^ {4}40 .*Z aggregate volume 0 ordinal 0 {"records":39,"bytes":409600}$/);
  const ranges = Array.from({ length: 925 }, () => ({ volume: 1, startBlock: 0, blockCount: 1 }));
  peer.send(...wireAggregate({ firstSeq: 41, lastSeq: 999, ranges }));
  const [, basePosition] = world.folder().pieces(world.host.files) as [number, number];
  const handle = world.host.files.open(world.folder().piecePath(basePosition), "readWrite");
  handle.truncateNow(handle.sizeBytesNow() - 512);
  const all = [...describeJournal(world.host.files, world.folder().path)].map(journalLine);
  expect(all.filter((line) => line.includes("NO BATCH"))).toEqual([
    expect.stringMatching(/NO BATCH at byte 512, \d+ bytes: unfinishedAggregate/),
  ]);
  expect(all.some((line) => line.includes("aggregate 41-999"))).toBe(false);
});

describe("fault 33: what is more than an aggregate may be is refused, and nothing of it is kept:", () => {
  test("trims without end", async () => {
    const { world, peer } = await started();
    const ranges = Array.from({ length: aggregateRangesMax + 1 }, () => ({ volume: 1, startBlock: 0, blockCount: 1 }));
    reconnects(
      () => peer.send(...wireAggregate({ firstSeq: 2, lastSeq: 9, ranges })),
      /larger than an aggregate may be/,
    );
    expect(world.content(1).length).toBe(1);
    peer.send(...wireAggregate({ firstSeq: 2, lastSeq: 9, ranges: ranges.slice(1) }));
    expect(peer.last.received).toBe(9);
  });

  test("payload without end", async () => {
    const { peer } = await started();
    const payload = Buffer.alloc(MiB);
    const runs = Array.from({ length: aggregateBlocksMax / 256 + 1 }, (_, index) => ({
      startBlock: index * 256,
      payload,
    }));
    const parts = wireAggregate({ firstSeq: 2, lastSeq: 9, runs, recordsPerPart: 1 });
    for (const part of parts.slice(0, aggregateBlocksMax / 256)) peer.send(part);
    reconnects(() => peer.send(parts[aggregateBlocksMax / 256] as Buffer), /larger than an aggregate may be/);
    expect(peer.last.received).toBe(1);
  });
});

test("fault 16: a disk that becomes full in the middle of an aggregate leaves nothing of it, and it is taken later", async () => {
  const { world, peer } = await started();
  const runs = Array.from({ length: 12 }, (_, index) => ({ startBlock: index * 100, payload: payloadOf(index, 64) }));
  const big = { firstSeq: 2, lastSeq: 90, runs, recordsPerPart: 1 };
  world.host.disk.faults.capacityBytes = world.host.disk.spaceBytes + 2 * MiB;
  expect(() => peer.send(...wireAggregate(big))).toThrow(/no room/);
  expect(world.appliance.status()).toMatchObject([{ state: "full", received: 1 }]);
  world.host.disk.faults.capacityBytes = Number.MAX_SAFE_INTEGER;
  await world.driver.until(() => world.appliance.status()[0]?.state === "open");
  const again = await world.connect(hello({ life: 2, firstSeq: 1, lastSeq: 1000 }));
  expect(again.welcome.received).toBe(1);
  again.send(...wireAggregate(big));
  expect(state(world, 90)["1/1163"]).toBe("11.63");
});
