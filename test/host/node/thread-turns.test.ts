import { expect, test } from "vitest";
import { ThreadTurns } from "#src/host/node/thread-turns.ts";

/** What a batch takes, and how many of them one has in a row who is alone. */
const batchMs = 0.05;
const batchesAlone = 16;

/** So many connections that always have something to say, one after the other: the batches of each turn. */
function batchesOf(connectionCount: number, turnCount: number): number[] {
  const turns = new ThreadTurns();
  const connections = Array.from({ length: connectionCount }, () => ({}));
  let nowMs = 1000;
  return Array.from({ length: turnCount }, (_, index) => {
    const batches = turns.begin(connections[index % connectionCount] as object, nowMs) ? batchesAlone : 1;
    nowMs += batches * batchMs;
    turns.end(nowMs);
    return batches;
  });
}

test("who is alone may go on, however often", () => {
  expect(batchesOf(1, 5)).toEqual([16, 16, 16, 16, 16]);
});

test("where several have something to say each gets one batch, also when one of them had just been alone", () => {
  for (const count of [2, 3, 64]) expect(batchesOf(count, 200)).toEqual([16, ...Array.from({ length: 199 }, () => 1)]);
});

test("a moment after the others one is alone again", () => {
  const turns = new ThreadTurns();
  const [one, other] = [{}, {}];
  turns.begin(one, 10);
  turns.end(11);
  expect(turns.begin(other, 11.1)).toBe(false);
  turns.end(11.2);
  expect(turns.begin(one, 12)).toBe(true);
});
