/** How what was appended leaves for the remote: in which company, and from where. */
import { expect, test, vi } from "vitest";
import { Spool } from "#src/appliance/local/spool.ts";
import { MiB, shipperGatherMs } from "#src/core/limits.ts";
import { BatchPool } from "#src/records/batch-pool.ts";
import { Bench, policy, startBench } from "./appliance-bench.ts";

function writeOneByOne(it: Bench, blocks: readonly number[]): void {
  for (const block of blocks) {
    it.write(block, block);
    it.link.commit();
  }
}

function lastBlocks(it: Bench, count: number): number[] {
  return it.remote.shipped.slice(-count).map((record) => record.startBlock);
}

test("in async batches that follow each other quickly leave together", async () => {
  const it = await startBench();
  it.remote.shipments = 0;
  writeOneByOne(it, [5, 6, 7]);
  expect(it.remote.shipments).toBe(0);
  await it.rest(shipperGatherMs);
  expect(it.remote.shipments).toBe(1);
  expect(lastBlocks(it, 3)).toEqual([5, 6, 7]);
});

test("in async a writer who comes with little at a time is never held up by much that leaves at once", async () => {
  const it = await startBench();
  it.remote.shipments = 0;
  writeOneByOne(
    it,
    Array.from({ length: 20 }, (_, index) => index),
  );
  expect([it.remote.shipments, lastBlocks(it, 1)]).toEqual([2, [15]]);
  await it.rest(shipperGatherMs);
  expect([it.remote.shipments, lastBlocks(it, 1)]).toEqual([3, [19]]);
});

test("in aggregated nothing leaves while a host is there, and everything when the last one has gone", async () => {
  const it = new Bench();
  it.policy = { ...policy, aggregate: { everyMs: 1e9, bytesMax: 64 * MiB } };
  await it.start("aggregated");
  writeOneByOne(it, [5, 6, 5]);
  await it.rest(60_000);
  const { lastSeq } = it.figures;
  expect(it.remote.aggregates).toEqual([]);
  it.link.detach();
  await it.rest();
  expect(it.remote.aggregates).toEqual([[lastSeq - 2, lastSeq]]);
});

test("in sync a batch leaves at once, and those behind it together when its answer has come", async () => {
  const it = await startBench("sync");
  it.remote.shipments = 0;
  writeOneByOne(it, [5, 6, 7]);
  expect([it.remote.shipments, lastBlocks(it, 1)]).toEqual([1, [5]]);
  const seq = it.remote.lastShipped?.seq ?? 0;
  it.remote.mark({ received: seq, durable: 0, stored: 0 });
  expect([it.remote.shipments, lastBlocks(it, 3)]).toEqual([2, [5, 6, 7]]);
  expect(it.acknowledged).toEqual([1]);
  it.remote.mark({ received: seq + 2, durable: 0, stored: 0 });
  expect(it.acknowledged).toEqual([1, 2, 3]);
  writeOneByOne(it, [8]);
  expect([it.remote.shipments, lastBlocks(it, 1)]).toEqual([3, [8]]);
});

test("in sync what is behind a batch whose answer is late does not wait for that", async () => {
  const it = await startBench("sync");
  writeOneByOne(it, [5, 6]);
  expect(lastBlocks(it, 1)).toEqual([5]);
  await it.rest(shipperGatherMs);
  expect(lastBlocks(it, 2)).toEqual([5, 6]);
});

test("while the link takes nothing, what is appended waits in memory and is not read back", async () => {
  const it = await startBench();
  const read = vi.spyOn(Spool.prototype, "read");
  it.remote.holdsMemory = true;
  writeOneByOne(it, [5]);
  await it.rest(shipperGatherMs);
  it.remote.shipments = 0;
  writeOneByOne(it, [6, 7]);
  await it.rest();
  expect(it.remote.shipments).toBe(0);
  it.remote.drain();
  expect([it.remote.shipments, lastBlocks(it, 3)]).toEqual([1, [5, 6, 7]]);
  expect(read).not.toHaveBeenCalled();
  read.mockRestore();
});

test("what there was no memory for is read back from the spool, in its order", async () => {
  const it = await startBench();
  const read = vi.spyOn(Spool.prototype, "read");
  const isAmple = vi.spyOn(BatchPool.prototype, "isAmple", "get");
  it.remote.shipped.length = 0;
  writeOneByOne(it, [1, 2]);
  isAmple.mockReturnValueOnce(false);
  writeOneByOne(it, [3, 4]);
  await it.rest();
  writeOneByOne(it, [5]);
  await it.rest();
  expect(it.remote.shipped.map((record) => record.startBlock)).toEqual([1, 2, 3, 4, 5]);
  expect(read).toHaveBeenCalled();
  read.mockClear();
  writeOneByOne(it, [6]);
  await it.rest();
  expect(lastBlocks(it, 1)).toEqual([6]);
  expect(read).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});
