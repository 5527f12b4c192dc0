/** Aggregates at the remote whose bytes are not as they were written, or could not be written. */
import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { aggregateBatchEntries } from "#src/journals/metadata-aggregate.ts";
import { wireAggregate } from "#test/journals/wire-aggregate.ts";
import { payloadOf, wireBatch } from "#test/journals/wire-batch.ts";
import type { SimFile } from "#test/sim/sim-file.ts";
import { hello, type LocalPeer, RemoteWorld } from "./remote-world.ts";
import { journalState } from "./volume-state.ts";

const ranges = Array.from({ length: aggregateBatchEntries + 20 }, (_, startBlock) => ({
  ...{ volume: 1, startBlock, blockCount: 1 },
}));
/** Two batches in the metadata journal. */
const parts = wireAggregate({
  ...{ firstSeq: 2, lastSeq: 2000, ranges },
  runs: [{ startBlock: 5, payload: payloadOf(1, 3) }],
});
const aggregateOffset = 1024;
const firstBatchBytes = Math.ceil((64 + aggregateBatchEntries * 64) / 512) * 512;

async function filled(): Promise<{ world: RemoteWorld; peer: LocalPeer; piece: SimFile }> {
  const world = new RemoteWorld(1, { pieceBytes: 2 ** 20 });
  await world.start();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{ startBlock: 0, blockCount: 2 }]));
  await world.durable(peer, 1);
  peer.send(...parts);
  return { world, peer, piece: world.host.disk.fileAt(world.folder().piecePath(0)) };
}

async function restarted(world: RemoteWorld): Promise<void> {
  world.host.kill();
  await world.start();
}

test("fault 18: one bit the other way round anywhere in an aggregate's metadata never changes what is read", async () => {
  const { world, peer, piece } = await filled();
  await world.durable(peer, 2000);
  const expected = Object.fromEntries(journalState(world, 2000));
  let errors = 0;
  for (let offset = aggregateOffset; offset < piece.current.sizeBytes; offset += offset % 512 < 64 ? 7 : 211) {
    piece.flipBit(offset, offset % 8);
    try {
      expect(Object.fromEntries(journalState(world, 2000))).toEqual(expected);
    } catch (error) {
      expect((error as Error).name).toBe("StopError");
      errors++;
    }
    piece.flipBit(offset, offset % 8);
  }
  expect(errors).toBeGreaterThan(200);
});

test.each([80, 20, firstBatchBytes + 80, firstBatchBytes + 20])(
  "faults 11 and 12: an aggregate with a bad bit at %d is dropped wholly where it was not promised, else the group stops",
  async (offset) => {
    for (const isPromised of [false, true]) {
      const { world, peer, piece } = await filled();
      if (isPromised) {
        await world.durable(peer, 2000);
        peer.send(wireBatch({ firstSeq: 2001 }, [{}]));
      }
      piece.flipBit(aggregateOffset + offset, 3);
      await restarted(world);
      const expected = isPromised
        ? {
            state: "stopped",
            why: expect.stringMatching(/where record 2 should be, and the records up to 2000 were durable/),
          }
        : { state: "open", received: 1, durable: 1 };
      expect(world.appliance.status()).toMatchObject([expected]);
    }
  },
);

test("fault 11: an aggregate that lacks one block of its payload is dropped wholly, and taken again", async () => {
  const { world } = await filled();
  const [segment] = world.folder().segments(world.host.files) as [number];
  world.host.disk.fileAt(world.folder().dataPath(segment)).flipBit(4 * blockBytes, 1);
  await restarted(world);
  expect(world.appliance.status()).toMatchObject([{ state: "open", received: 1 }]);
  const peer = await world.connect(hello({ life: 2 }));
  peer.send(...parts);
  expect(peer.last.received).toBe(2000);
  expect(journalState(world, 2000).get("1/7")).toBe("1.2");
});

test("fault 18: a block of a durable aggregate that is damaged is an error for just that block", async () => {
  const { world, peer } = await filled();
  await world.durable(peer, 2000);
  const [segment] = world.folder().segments(world.host.files) as [number];
  world.host.disk.fileAt(world.folder().dataPath(segment)).flipBit(4 * blockBytes, 1);
  expect(() => journalState(world, 2000)).toThrow(expect.objectContaining({ blocks: [7] }));
});

test("a disk that does not give an aggregate back stops the group, and nothing is cut off", async () => {
  const { world, piece } = await filled();
  const sizeBytes = piece.current.sizeBytes;
  piece.damage(aggregateOffset + firstBatchBytes, 512);
  await restarted(world);
  expect(world.appliance.status()).toMatchObject([{ state: "stopped", why: expect.stringMatching(/cannot be read/) }]);
  expect(piece.current.sizeBytes).toBe(sizeBytes);
});

test("fault 16: a disk that is full at any place of an aggregate has nothing of it, and takes it when there is room", async () => {
  const outcomes = new Set<string>();
  for (let roomBlocks = 0; roomBlocks < 24; roomBlocks++) {
    const world = new RemoteWorld(roomBlocks, { pieceBytes: 2 ** 20 });
    await world.start();
    const peer = await world.connect();
    peer.send(wireBatch({ firstSeq: 1 }, [{ startBlock: 0, blockCount: 2 }]));
    const { disk } = world.host;
    disk.faults.capacityBytes = disk.spaceBytes + roomBlocks * blockBytes;
    try {
      peer.send(...parts);
    } catch (error) {
      expect((error as Error).message).toMatch(/no room/);
    }
    const { state = "none", received = 0 } = world.appliance.status()[0] ?? {};
    outcomes.add(`${state} ${received}`);
    disk.faults.capacityBytes = Number.MAX_SAFE_INTEGER;
    await world.driver.until(() => world.appliance.status()[0]?.state === "open");
    const again = await world.connect(hello({ life: 2 }));
    expect(again.welcome.received).toBe(received);
    again.send(...parts);
    expect(journalState(world, 2000).get("1/7")).toBe("1.2");
    expect(again.last.received === 2000 || received === 2000).toBe(true);
  }
  expect([...outcomes].sort()).toEqual(["full 1", "open 2000"]);
});
