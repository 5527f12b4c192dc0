import { expect, test } from "vitest";
import { HostWait, type HostWork } from "#src/control/host-wait.ts";

const idle: HostWork = {
  ...{ acknowledged: 5, applied: 5, slowReads: 4, slowReadsEnded: 4 },
  ...{ isFlushAwaited: false, flushRounds: 2, isFlushHeld: false },
};

/** What it says at each second. */
function told(...works: readonly Partial<HostWork>[]): number[] {
  const wait = new HostWait();
  return works.map((work, second) => wait.look({ ...idle, ...work }, second * 1000).hostWaitSeconds ?? 0);
}

test("nobody who waits is kept waiting", () => {
  expect(told({}, {}, {})).toEqual([0, 0, 0]);
});

test("a source that takes a write now and then is slow, and one that takes none stands still", () => {
  expect(told(...[5, 6, 7, 8].map((applied) => ({ acknowledged: 20, applied })))).toEqual([0, 0, 0, 0]);
  expect(told({ acknowledged: 6 }, { acknowledged: 9 }, { acknowledged: 9 }, { acknowledged: 9, applied: 6 })).toEqual([
    0, 1, 2, 0,
  ]);
});

test("a source that takes writes and reads nothing stands still too", () => {
  const writing = [6, 7, 8].map((applied) => ({ acknowledged: 20, applied }));
  expect(told(...writing.map((work) => ({ ...work, slowReads: 5 })))).toEqual([0, 1, 2]);
  // One after the other ends, and more are asked for.
  expect(told(...[5, 6, 7].map((slowReads) => ({ slowReads, slowReadsEnded: slowReads - 1 })))).toEqual([0, 0, 0]);
});

test("what was waited for before does not count for who waits now", () => {
  expect(
    told({ acknowledged: 6 }, { acknowledged: 6 }, { applied: 6, acknowledged: 6 }, { applied: 6, acknowledged: 7 }),
  ).toEqual([0, 1, 0, 0]);
});

test("nobody waits where all is refused, whatever was under way", () => {
  const wait = new HostWait();
  const stuck = { ...idle, acknowledged: 6, isFlushAwaited: true };
  const works = [stuck, stuck, undefined, stuck, stuck];
  expect(works.map((work, second) => wait.look(work, second * 1000).hostWaitSeconds)).toEqual([
    ...[undefined, 1, undefined, undefined, 1],
  ]);
});

test("a flush that does not end is waited for, whatever is written", () => {
  const flush = { isFlushAwaited: true };
  const moving = [6, 7, 8].map((applied) => ({ ...flush, acknowledged: 20, applied }));
  expect(told(...moving, { ...flush, flushRounds: 3 })).toEqual([0, 1, 2, 0]);
});

test("a flush that waits for a resync is told from one that a disk does not do, unless the source takes no writes either", () => {
  const wait = new HostWait();
  const held = { ...idle, isFlushAwaited: true, isFlushHeld: true };
  const works = [
    held,
    held,
    { ...held, isFlushHeld: false },
    { ...held, acknowledged: 6 },
    { ...held, acknowledged: 6 },
    { ...held, slowReads: 5 },
    { ...held, slowReads: 5 },
  ];
  expect(works.map((work, second) => wait.look(work, second * 1000))).toEqual([
    {},
    { hostWaitSeconds: 1, hostWaitFor: "resync" },
    { hostWaitSeconds: 2 },
    { hostWaitSeconds: 3, hostWaitFor: "resync" },
    { hostWaitSeconds: 4 },
    { hostWaitSeconds: 5, hostWaitFor: "resync" },
    { hostWaitSeconds: 6 },
  ]);
});
