import { expect, test } from "vitest";
import { historyWithdrawnMax } from "#src/core/store-limits.ts";
import { wholeHistory } from "#src/synth/history-document.ts";
import { isKept, isPointByItself, unneededSnapshots } from "#src/synth/kept-snapshots.ts";
import { thinnedSnapshots } from "#src/synth/snapshot-thinning.ts";

test("a snapshot stays while one that is kept points into it, and goes then", () => {
  const there = [10, 20, 30, 40];
  expect(unneededSnapshots(there, [{ seq: 40, sourceSeqs: [20] }])).toEqual([10, 30]);
  expect(unneededSnapshots(there, [{ seq: 40, sourceSeqs: [] }])).toEqual([10, 20, 30]);
  expect(unneededSnapshots(there, [])).toEqual(there);
});

test("a snapshot is kept from the base on, or where a pin keeps it, unless it was removed", () => {
  const pin = { id: "a", seq: 10, keeps: "snapshot" as const, reason: "asked for" };
  const held = { id: "b", seq: 20, keeps: "history" as const, reason: "is open" };
  const history = { ...wholeHistory, basedOn: 30, pins: [pin, held], withdrawn: [40] };
  expect([10, 20, 30, 40, 50].filter((seq) => isKept(history, seq))).toEqual([10, 30, 50]);
});

test("a point stays one whatever its level where it was asked for, is pinned, or begins the history", () => {
  const pin = { id: "a", seq: 50, keeps: "history" as const, reason: "is open" };
  const history = { ...wholeHistory, basedOn: 30, pins: [pin], asked: [60] };
  expect([30, 40, 50, 60, 70].filter((seq) => isPointByItself(history, seq))).toEqual([30, 50, 60]);
});

test("of snapshots that nobody asked for the last in each folded piece stays, as long as the list has room", () => {
  const folded = [
    { firstSeq: 1, lastSeq: 100 },
    { firstSeq: 201, lastSeq: 300 },
  ];
  const kept = [10, 20, 30, 100, 150, 160, 210, 220, 301];
  expect(thinnedSnapshots({ ...wholeHistory, asked: [20] }, kept, folded)).toEqual([10, 30, 210]);
  const withdrawn = Array.from({ length: historyWithdrawnMax / 2 - 1 }, (_, index) => 1000 + index);
  expect(thinnedSnapshots({ ...wholeHistory, withdrawn }, kept, folded)).toEqual([10]);
});
