import { expect, test } from "vitest";
import { DiskThreads } from "#src/host/node/disk-threads.ts";

/** Work of a disk that never answers, unless it is told to. */
function hang(threads: DiskThreads, disk: number, count: number): (() => void)[] {
  const begun: (() => void)[] = [];
  for (let index = 0; index < count; index++) threads.queueOf(disk).run((finished) => begun.push(finished));
  return begun;
}

test("disks that hang have half of the threads, a half of the rest, and so on; one is left to all that is no disk's", () => {
  const threads = new DiskThreads(64);
  const counts = [1, 2, 3, 4, 5, 6, 7].map((disk) => hang(threads, disk, 100).length);
  expect(counts).toEqual([32, 16, 8, 4, 2, 1, 0]);
});

test("what waits begins when its disk, or another, gives a thread back, in its order, and no disk waits for ever", () => {
  const threads = new DiskThreads(8);
  const order: string[] = [];
  const begun: (() => void)[] = [];
  const run = (disk: number, name: string): void =>
    threads.queueOf(disk).run((finished) => {
      order.push(name);
      begun.push(finished);
    });
  for (const name of ["a1", "a2", "a3", "a4", "a5", "a6"]) run(1, name);
  for (const name of ["b1", "b2", "b3"]) run(2, name);
  expect(order).toEqual(["a1", "a2", "a3", "a4", "b1", "b2"]);
  while (begun.length > 0) begun.shift()?.();
  expect(order.toSorted()).toEqual(["a1", "a2", "a3", "a4", "a5", "a6", "b1", "b2", "b3"]);
  expect(hang(threads, 3, 9)).toHaveLength(4);
});
