import { expect, test } from "vitest";
import { RetryError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { readBlockCountMax } from "#src/core/store-limits.ts";
import type { AddressRun } from "#src/store/block-reader.ts";
import type { PieceReader } from "#src/store/piece-reader.ts";
import type { ReadPiece } from "#src/store/read-piece.ts";
import { SequentialReader } from "#src/store/sequential-reader.ts";
import { realDriver } from "#test/contract/driver.ts";
import { patience } from "#test/patience.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

/** Puts each block's address into it, when it is told to. */
class SlowReader implements PieceReader {
  readonly waiting: { readonly piece: ReadPiece; readonly settle: (error?: Error) => void }[] = [];
  mostWaiting = 0;

  read(piece: ReadPiece): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const settle = (error?: Error) => {
      if (error !== undefined) return reject(error);
      for (let block = 0; block < piece.count; block++) {
        piece.blocks.writeDoubleLE(piece.addresses[block] as number, block * blockBytes);
        piece.damaged[block] = (piece.volumes[block] as number) > 8 ? 1 : 0;
      }
      resolve();
    };
    this.waiting.push({ piece, settle });
    this.mostWaiting = Math.max(this.mostWaiting, this.waiting.length);
    return promise;
  }
}

class QuickReader extends SlowReader {
  override read(piece: ReadPiece): Promise<void> {
    const done = super.read(piece);
    this.waiting.pop()?.settle();
    return done;
  }
}

function runsOfChance(seed: number): AddressRun[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: 30 }, () => ({
    address: 65_536 * random.between(1, 2 ** 30),
    blockCount: random.pick([1, 2, 255, 256, 257, 700]),
    volume: random.between(1, 9),
  }));
}

function expectedOf(runs: readonly AddressRun[]): [number, number][] {
  return runs.flatMap(({ address, blockCount, volume }) =>
    Array.from({ length: blockCount }, (_, block): [number, number] => [address + block, volume > 8 ? 1 : 0]),
  );
}

test.each([1, 2, 3])(
  "blocks come in the order in which they are wanted, by so many readers: %i",
  async (readerCount) => {
    const reader = new SequentialReader(Array.from({ length: readerCount }, () => new QuickReader()));
    const runs = runsOfChance(readerCount);
    const found: [number, number][] = [];
    for await (const { count, blocks, damaged } of reader.read(runs)) {
      for (let block = 0; block < count; block++)
        found.push([blocks.readDoubleLE(block * blockBytes), damaged[block] as number]);
    }
    expect(found).toEqual(expectedOf(runs));
  },
);

test("a piece that is ready early waits for those before it, and no more is read than there are pieces for", async () => {
  const slow = new SlowReader();
  const reader = new SequentialReader([slow]);
  const pieces = reader.read([{ address: 65_536, blockCount: 100 * readBlockCountMax, volume: 1 }]);
  const first = pieces.next();
  await expect.poll(() => slow.waiting.length, patience).toBe(reader.pieceCount - 2);
  const [oldest, ...later] = slow.waiting.splice(0);
  for (const { settle } of later) settle();
  let isFirstHere = false;
  void first.then(() => {
    isFirstHere = true;
  });
  await realDriver.quiet();
  expect(isFirstHere).toBe(false);
  oldest?.settle();
  expect((await first).value?.blocks.readDoubleLE(0)).toBe(65_536);
  expect(slow.waiting).toHaveLength(0);
  expect((await pieces.next()).value?.blocks.readDoubleLE(0)).toBe(65_536 + readBlockCountMax);
  const over = pieces.return();
  for (const { settle } of slow.waiting.splice(0)) settle();
  await over;
  expect(slow.mostWaiting).toBe(reader.pieceCount - 2);
});

test("what a reader throws comes in its place, behind what was before it", async () => {
  const slow = new SlowReader();
  const reader = new SequentialReader([slow]);
  const pieces = reader.read([{ address: 65_536, blockCount: 10 * readBlockCountMax, volume: 1 }]);
  const first = pieces.next();
  await expect.poll(() => slow.waiting.length, patience).toBe(3);
  slow.waiting[1]?.settle(new RetryError("not now"));
  slow.waiting[2]?.settle();
  slow.waiting[0]?.settle();
  expect((await first).done).toBe(false);
  slow.waiting.splice(0, 3);
  const second = pieces.next();
  await expect.poll(() => slow.waiting.length, patience).toBe(1);
  slow.waiting[0]?.settle();
  await expect(second).rejects.toThrow("not now");
});

test("whoever stops early waits until nothing is read any more, and may read again, in the same memory", async () => {
  const slow = new SlowReader();
  const reader = new SequentialReader([slow]);
  const run = { address: 65_536, blockCount: 10 * readBlockCountMax, volume: 1 };
  const pieces = reader.read([run]);
  const first = pieces.next();
  await expect.poll(() => slow.waiting.length, patience).toBe(3);
  const used = new Set(slow.waiting.map(({ piece }) => piece));
  slow.waiting.shift()?.settle();
  await first;
  let isOver = false;
  const over = pieces.return().then(() => {
    isOver = true;
  });
  await realDriver.quiet();
  expect(isOver).toBe(false);
  for (const { piece, settle } of slow.waiting.splice(0)) {
    used.add(piece);
    settle();
  }
  await over;
  const quick = slow as { read: PieceReader["read"] };
  const again: ReadPiece[] = [];
  quick.read = async (piece) => void again.push(piece);
  let blockCount = 0;
  for await (const { count } of reader.read([run])) blockCount += count;
  expect(blockCount).toBe(run.blockCount);
  for (const piece of again) used.add(piece);
  expect(used.size).toBeLessThanOrEqual(reader.pieceCount);
});

test("a piece has blocks of one group only", async () => {
  const reader = new SequentialReader([new QuickReader()]);
  const run = { address: 65_536, blockCount: 3, volume: 1 };
  const found: [number, string | undefined][] = [];
  const runs = [{ ...run, group: "a" }, { ...run, group: "a" }, run, { ...run, group: "b" }];
  for await (const { count, group } of reader.read(runs)) found.push([count, group]);
  expect(found).toEqual([
    [6, "a"],
    [3, undefined],
    [3, "b"],
  ]);
});

test("nothing is wanted, and nothing comes", async () => {
  const slow = new SlowReader();
  for await (const _ of new SequentialReader([slow]).read([])) expect.unreachable();
  expect(slow.mostWaiting).toBe(0);
});
