import { expect, test } from "vitest";
import { batchBytesMax } from "#src/core/limits.ts";
import { BatchPool, type BatchSlab } from "#src/records/batch-pool.ts";

function poolOf(slabCountMax: number) {
  const freed: number[] = [];
  const pool = new BatchPool({ slabBytes: batchBytesMax * 2, slabCountMax, freed: () => freed.push(1) });
  return { pool, freed };
}

/** As a batch is made: held while it is, and longer by whoever needs it. */
function take(pool: BatchPool, spanBytes: number): BatchSlab {
  const slab = pool.current;
  if (slab === undefined) throw new Error("there is no memory");
  slab.hold();
  slab.usedBytes += spanBytes;
  return slab;
}

test("batches lie behind each other for as long as a largest one would fit", () => {
  const { pool } = poolOf(2);
  const first = take(pool, 4096);
  expect(take(pool, batchBytesMax)).toBe(first);
  expect(first.usedBytes).toBe(4096 + batchBytesMax);
  expect(take(pool, 4096)).not.toBe(first);
});

test("memory that nobody holds is used from its start again", () => {
  const { pool } = poolOf(2);
  const slab = take(pool, 4096);
  slab.hold();
  slab.release();
  expect(slab.usedBytes).toBe(4096);
  slab.release();
  expect(take(pool, 512)).toBe(slab);
  expect(slab.usedBytes).toBe(512);
});

test("when all is held there is none, and whoever asked hears when there is again", () => {
  const { pool, freed } = poolOf(2);
  const held = [take(pool, batchBytesMax * 2), take(pool, batchBytesMax * 2)];
  expect(pool.current).toBeUndefined();
  expect(freed).toEqual([]);
  held[0]?.release();
  expect(freed).toEqual([1]);
  expect(pool.current).toBe(held[0]);
  expect(pool.slabCount).toBe(2);
});

test("nobody is told of memory who did not ask", () => {
  const { pool, freed } = poolOf(2);
  take(pool, 4096).release();
  expect(freed).toEqual([]);
});

test("giving memory back twice is a fault of the program", () => {
  const { pool } = poolOf(1);
  const slab = take(pool, 512);
  slab.release();
  expect(() => slab.release()).toThrow("given back once");
});
