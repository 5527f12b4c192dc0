import { describe, expect, test } from "vitest";
import { batchBytesMax } from "#src/core/limits.ts";
import { BatchPool } from "#src/records/batch-pool.ts";
import type { BatchShare, BatchSpace } from "#src/records/batch-share.ts";
import type { BatchSlab } from "#src/records/batch-slab.ts";

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

describe("shares", () => {
  /** Batches of the largest size that are held for ever, as many as there is memory for. */
  function holdAll(share: BatchShare): BatchSpace[] {
    const held: BatchSpace[] = [];
    for (let space = share.current; space !== undefined; space = share.current) {
      space.hold();
      space.usedBytes += batchBytesMax;
      held.push(space);
    }
    return held;
  }

  /** Batches that are done with at once. */
  function pass(share: BatchShare, count: number): number {
    let passed = 0;
    for (; passed < count; passed++) {
      const space = share.current;
      if (space === undefined) break;
      space.hold();
      space.usedBytes += batchBytesMax;
      space.release();
    }
    return passed;
  }

  test("one alone may have all", () => {
    const { pool } = poolOf(12);
    const share = pool.share();
    expect(new Set(holdAll(share)).size).toBe(12);
  });

  test("who holds on to his memory leaves half of it, and others go on with that", () => {
    const { pool } = poolOf(12);
    const [stalled, other] = [pool.share(), pool.share()];
    holdAll(stalled);
    expect(stalled.heldCount).toBe(6);
    expect(pass(other, 1_000)).toBe(1_000);
  });

  test("however many hold on to theirs, whoever holds nothing has room for one batch at least", () => {
    const { pool } = poolOf(12);
    const shares = Array.from({ length: 40 }, () => pool.share());
    for (const share of shares) expect(holdAll(share).length).toBeGreaterThan(0);
    expect(pool.slabCount).toBe(12);
    const late = pool.share();
    expect(pass(late, 1_000)).toBe(1_000);
  });

  test("who was refused hears of it when he may have more, since others or he himself gave some back", () => {
    const { pool, freed } = poolOf(12);
    const [one, other] = [pool.share(), pool.share()];
    const ofOther = holdAll(other);
    const ofOne = holdAll(one);
    freed.length = 0;
    expect(one.current).toBeUndefined();
    for (const space of ofOther) space.release();
    expect(freed.length).toBeGreaterThan(0);
    expect(one.current).toBeDefined();
    holdAll(one);
    freed.length = 0;
    expect(one.current).toBeUndefined();
    for (const space of ofOne.slice(0, 2)) space.release();
    expect(freed.length).toBeGreaterThan(0);
  });

  test("who was refused hears of it when what he has of his own is free", () => {
    const { pool, freed } = poolOf(1);
    const [one, other] = [pool.share(), pool.share()];
    holdAll(one);
    const [own] = holdAll(other);
    freed.length = 0;
    expect(other.current).toBeUndefined();
    own?.release();
    expect(freed).toEqual([1]);
    expect(other.current).toBe(own);
  });

  test("what may be kept for longer is less than what may be had, and who has left counts no more", () => {
    const { pool } = poolOf(12);
    const [one, other] = [pool.share(), pool.share()];
    const held: BatchSpace[] = [];
    for (let space = one.current; space !== undefined && one.isAmple; space = one.current) {
      space.hold();
      space.usedBytes += batchBytesMax;
      held.push(space);
    }
    expect(one.current).toBeDefined();
    other.leave();
    expect(new Set([...held, ...holdAll(one)]).size).toBe(12);
  });
});
