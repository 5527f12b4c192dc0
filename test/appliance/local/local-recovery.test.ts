import { expect, test } from "vitest";
import { batchBytesMax } from "#src/core/limits.ts";
import { BatchBuilder } from "#src/records/batch-builder.ts";
import { recordType } from "#src/records/record.ts";
import { Bench, policy, startBench } from "./appliance-bench.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

/** A batch as the remote has it, with a write whose seq is 3. */
function oneWrite(): Buffer {
  const builder = new BatchBuilder();
  const batch = Buffer.alloc(batchBytesMax);
  builder.begin(batch, 0);
  builder.addWrite(
    { type: recordType.write, volume: 1, startBlock: 9, blockCount: 1, ordinal: 1 },
    Buffer.alloc(4096, 9),
    0,
  );
  const order = { epoch: 1, timeMicros: 5, incarnation: 0, position: 0, durableSeq: 0 };
  const spanBytes = builder.finish({ ...order, firstSeq: 3 });
  return batch.subarray(0, spanBytes);
}

/** In the middle of where the file has this. */
function flipBitOf(it: Bench, path: string, content: Buffer): void {
  const file = it.host.files.open(path, "read");
  const bytes = Buffer.alloc(file.sizeBytesNow());
  file.readNow(bytes, 0, bytes.length, 0);
  file.close();
  const position = bytes.indexOf(content);
  expect(position).toBeGreaterThan(0);
  it.host.disk.fileAt(path).flipBit(position + content.length / 2, 3);
}

test("after a kill the volume is redone from the spool, in the same epoch, and goes on behind it", async () => {
  const it = await startBench();
  it.write(5, 1);
  it.link.commit();
  it.write(6, 2);
  it.link.commit();
  it.host.kill();
  it.remote = new ScriptedRemote();
  await it.open();
  await it.attach(1);
  expect(it.redone.map((record) => [record.ordinal, record.startBlock])).toEqual([[2, 6]]);
  expect(it.attachment).toMatchObject({ lastOrdinal: 2, inDoubt: false });
  expect(it.figures).toMatchObject({ epoch: 1, lastSeq: 4 });
});

test("after a loss of power a new epoch begins beyond what was reserved, and the volume is in doubt", async () => {
  const it = await startBench();
  it.write(5, 1);
  it.link.commit();
  it.host.cutPower();
  it.remote = new ScriptedRemote();
  await it.open();
  await it.attach();
  expect(it.attachment.inDoubt).toBe(true);
  expect(it.figures.epoch).toBe(2);
  expect(it.figures.lastSeq).toBeGreaterThan(policy.seqReserve);
  it.remote.come();
  await it.rest();
  expect(it.shippedTypes).toContain("epoch");
});

test("the doubt is told again until the interceptor shows that it has taken note", async () => {
  const it = await startBench();
  it.host.cutPower();
  await it.open();
  await it.attach();
  expect(it.attachment.inDoubt).toBe(true);
  it.host.kill();
  await it.open();
  await it.attach();
  expect(it.attachment.inDoubt).toBe(true);
  it.write(5, 1);
  it.link.commit();
  it.link.reportDurable(1);
  await it.rest();
  it.host.kill();
  await it.open();
  await it.attach(1);
  expect(it.attachment.inDoubt).toBe(false);
});

test("a volume that has had records is told that the group knows none of them, until its interceptor takes note", async () => {
  const it = new Bench();
  await it.open();
  await it.attach(100);
  expect(it.attachment.lastOrdinal).toBe(0);
  it.host.kill();
  await it.open();
  await it.attach(100);
  expect(it.attachment.lastOrdinal).toBe(0);
  // It has taken note, and numbers from the start.
  it.link.reportDurable(0);
  it.write(5, 1);
  it.link.commit();
  await it.rest();
  it.host.kill();
  await it.open();
  await it.attach(0);
  expect(it.attachment.lastOrdinal).toBe(1);
});

test("of a volume that the group has met, the interceptor's word counts where the spool has let go of it", async () => {
  const it = await startBench();
  for (let block = 0; block < 60; block++) {
    it.write(block, 1);
    it.link.commit();
    it.remote.markAll(it.figures.lastSeq);
    it.link.reportDurable(it.link.lastOrdinal);
    await it.rest(10);
  }
  it.host.kill();
  await it.open();
  await it.attach(60);
  expect(it.attachment.lastOrdinal).toBe(60);
});

test("fault 10: what the spool lost with the power and the remote has comes back, and is redone", async () => {
  const it = new Bench();
  await it.start();
  const flushed = it.flush();
  await it.rest();
  expect(flushed).toEqual(["done"]);
  it.host.cutPower();
  it.remote = new ScriptedRemote();
  it.remote.lost.push(oneWrite());
  const opening = it.begin();
  await it.rest(1000);
  it.remote.come({ received: 3 });
  it.appliance = await it.done(opening);
  await it.attach();
  expect(it.redone.map((record) => record.startBlock)).toEqual([9]);
  expect(it.attachment.lastOrdinal).toBe(1);
});

test("the epoch that a group says it is in never goes back, whatever comes back to its spool", async () => {
  const it = new Bench();
  await it.start();
  it.host.cutPower();
  it.remote = new ScriptedRemote();
  const opening = it.begin();
  await it.rest(1_000);
  expect(it.remote.hello()).toMatchObject({ epoch: 2 });
  it.remote.lost.push(oneWrite());
  it.remote.come({ received: 3 });
  await it.rest(0);
  expect(it.remote.hello()).toMatchObject({ epoch: 2 });
  it.appliance = await it.done(opening);
  expect(it.remote.hello()).toMatchObject({ epoch: 2 });
  it.host.kill();
  it.remote = new ScriptedRemote();
  await it.open();
  expect(it.remote.hello()).toMatchObject({ epoch: 2 });
});

test("a group that could not be opened leaves nothing behind that would speak for it", async () => {
  const it = new Bench();
  await it.open();
  // Without a volume the first write of a start behind a loss of power is that of the epoch's record.
  await it.done(it.appliance.addGroup({ id: "bb".repeat(16), name: "g", mode: "async" }));
  it.host.cutPower();
  it.remote = new ScriptedRemote();
  const opening = it.begin();
  await it.rest(5_000);
  it.host.disk.failNext("write", "ENOSPC");
  it.appliance = await it.done(opening);
  expect(it.figures).toMatchObject({ state: "stopped", why: expect.stringContaining("no room") });
  expect(it.remote.isStopped).toBe(true);
  it.remote.isStopped = false;
  await it.rest(60_000);
  expect(it.figures).toMatchObject({ state: "steady", epoch: 2 });
  expect(it.remote.isStopped).toBe(false);
});

test("a group that starts in sync says so only when the remote has all there is", async () => {
  const it = await startBench("sync");
  it.write(5, 1);
  it.link.commit();
  it.host.kill();
  it.remote = new ScriptedRemote();
  await it.open();
  it.remote.come({ received: 1, durable: 1 });
  expect(it.figures).toMatchObject({ mode: "async", wantedMode: "sync", state: "draining" });
  it.remote.markAll(it.figures.lastSeq);
  expect(it.figures).toMatchObject({ mode: "sync", state: "steady" });
});

test("with the policy to degrade, a group that starts in sync without its remote does not wait for ever", async () => {
  const it = new Bench();
  it.policy = { ...policy, mode: { ...policy.mode, linkLoss: "degrade" } };
  await it.open("sync");
  await it.attach();
  it.write(5, 1);
  it.link.commit();
  await it.rest(1000);
  expect(it.acknowledged).toEqual([]);
  await it.rest(11_000);
  expect(it.acknowledged).toEqual([1]);
  expect(it.figures.state).toBe("suspended");
});

test("fault 6: async that was asked for takes place in the next life if this one ended before it could", async () => {
  const it = await startBench("sync");
  it.host.disk.failNext("write", "ENOSPC");
  it.write(5, 1);
  it.link.commit();
  it.appliance.setMode("g", "async");
  await it.rest(100);
  it.host.kill();
  it.remote = new ScriptedRemote();
  await it.open();
  await it.rest(100);
  expect(it.figures).toMatchObject({ mode: "async", wantedMode: "async", state: "steady" });
});

test("faults 6 and 18: what was added before a switch that was lost with the spool's end stays a point by itself", async () => {
  const it = await startBench("sync");
  it.remote.markAll(it.figures.lastSeq);
  const { lastSeq } = it.figures;
  for (const value of [1, 2, 3]) {
    it.write(5, value);
    it.link.commit();
  }
  // At once, so that its record cannot say of those before it that they are durable.
  it.appliance.setMode("g", "aggregated");
  await it.rest();
  expect(it.figures.mode).toBe("aggregated");
  it.host.cutPower();
  const [folder] = it.host.files.list("/data/groups");
  flipBitOf(it, `/data/groups/${folder}/spool/00000001.segment`, Buffer.alloc(4096, 3));
  it.remote = new ScriptedRemote();
  await it.open();
  it.remote.come({ received: lastSeq, durable: lastSeq });
  await it.rest(60_000);
  it.remote.markAll(it.figures.lastSeq);
  await it.rest(60_000);
  expect(it.shippedTypes).toEqual(["write", "write", "epoch", "mode", "mode"]);
  expect(it.remote.aggregates).toEqual([]);
  // It was asked for, and is what everybody can read in the order.
  expect(it.figures).toMatchObject({ mode: "aggregated", wantedMode: "aggregated" });
});
