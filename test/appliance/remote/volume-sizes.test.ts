import { expect, test } from "vitest";
import { VolumeTable } from "#src/journals/volume-table.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { wireBatch } from "#test/journals/wire-batch.ts";
import { RemoteWorld } from "./remote-world.ts";

const volume = { id: "v", name: "root", sizeBytes: 1000 * 4096 };
const about = { ordinal: 0, blockCount: 0 };
const known = [{ number: 1, id: "v", name: "root", sizeBytes: volume.sizeBytes }];

function resized(sizeBytes: unknown): Buffer {
  return encodeExtra({ sizeBytes, previousBytes: 0 });
}

test("the remote knows a volume's size from its journals, also after the loss of power", async () => {
  const world = new RemoteWorld(1);
  await world.start();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{ type: recordType.volume, ...about, extra: volume }]));
  const extra = { sizeBytes: 2000 * 4096, previousBytes: volume.sizeBytes };
  peer.send(wireBatch({ firstSeq: 2 }, [{ type: recordType.resize, ...about, extra }]));
  const sizes = () => world.appliance.status().map(({ volumes }) => volumes.map(({ sizeBytes }) => sizeBytes));
  expect(sizes()).toEqual([[extra.sizeBytes]]);
  await world.durable(peer, 2);
  world.host.cutPower();
  await world.start();
  expect(sizes()).toEqual([[extra.sizeBytes]]);
});

test("of several sizes the last one counts, and what is durable says only what a durable record said", () => {
  const table = new VolumeTable(known);
  table.saw(recordType.resize, 10, 1, resized(4096));
  table.saw(recordType.resize, 11, 1, resized(8192));
  expect(table.all[0]?.sizeBytes).toBe(8192);
  expect(table.durable).toEqual(known);
  table.durableUpTo(10);
  expect([table.durable[0]?.sizeBytes, table.all[0]?.sizeBytes]).toEqual([4096, 8192]);
});

test("a resize of a volume that nobody knows, or to no size, changes nothing", () => {
  const table = new VolumeTable(known);
  table.saw(recordType.resize, 10, 2, resized(4096));
  table.saw(recordType.resize, 11, 1, resized("large"));
  expect(table.all).toEqual(known);
});
