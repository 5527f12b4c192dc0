import { expect, test } from "vitest";
import { putStamp, stampedBytes } from "#test/oracle/block-stamp.ts";
import { WriteHistory, type Writing } from "#test/oracle/write-history.ts";
import { CutJudge } from "./cut-judge.ts";

const volume = 1;
const blockCount = 4;

interface Done extends Writing {
  readonly events: number;
}

function written() {
  const history = new WriteHistory(volume, blockCount);
  const done = (kind: Writing["kind"], startBlock: number, count = 1): Done => {
    const writing = history.issue(kind, startBlock, count);
    history.replied(writing);
    return Object.assign(writing, { events: history.events });
  };
  const image = (...numbers: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(blockCount * stampedBytes);
    for (const [block, number] of numbers.entries()) {
      if (number > 0) putStamp(bytes, block * stampedBytes, { volume, block, number });
    }
    return bytes;
  };
  return { history, done, image, judge: new CutJudge(history) };
}

test("each state between two writes is a cut, and a later one without an earlier is none", () => {
  const { done, image, judge } = written();
  done("write", 0);
  done("write", 1);
  done("write", 0);
  for (const state of [[], [1], [1, 2], [3, 2]]) expect(judge.judge(image(...state))).toEqual([]);
  expect(judge.judge(image(0, 2))).toEqual([expect.stringContaining("writing 1 is missing")]);
  expect(judge.judge(image(3, 0))).toEqual([expect.stringContaining("writing 2 is missing")]);
});

test("of writes that were under way together either may be there without the other", () => {
  const { history, image, judge } = written();
  const [first, second] = [history.issue("write", 0, 1), history.issue("write", 1, 1)];
  history.replied(second);
  history.replied(first);
  for (const state of [[], [1], [0, 2], [1, 2]]) expect(judge.judge(image(...state))).toEqual([]);
});

test("a write that is there in one of its blocks is there in all of them", () => {
  const { done, image, judge } = written();
  done("write", 0, 2);
  expect(judge.judge(image(1, 1))).toEqual([]);
  expect(judge.judge(image(1, 0))).toEqual([expect.stringContaining("writing 1 is there in other blocks")]);
});

test("zeros are what was never written, or whichever zeroing agrees with the rest", () => {
  const { done, image, judge } = written();
  done("write", 0);
  done("zero", 0);
  done("write", 1);
  done("write", 0);
  done("zero", 0);
  done("write", 2);
  for (const state of [[], [1], [0, 3], [4, 3], [0, 3, 6]]) expect(judge.judge(image(...state))).toEqual([]);
  expect(judge.judge(image(1, 3))).toEqual([expect.stringContaining("writing 2 is missing")]);
  expect(judge.judge(image(4, 3, 6))).toEqual([expect.stringContaining("writing 5 is missing")]);
});

test("what was answered by a bound must be there, and what was handed over after one must not", () => {
  const { done, image, judge } = written();
  const first = done("write", 0);
  done("write", 1);
  expect(judge.judge(image(1), { answeredBy: first.events, issuedBy: first.events })).toEqual([]);
  expect(judge.judge(image(), { answeredBy: first.events })).toEqual([expect.stringContaining("writing 1 is missing")]);
  expect(judge.judge(image(1, 2), { issuedBy: first.events })).toEqual([expect.stringContaining("handed over later")]);
});

test("what another block should hold, and what nobody wrote, are told of", () => {
  const { done, image, judge } = written();
  done("write", 0);
  const moved = image(1);
  moved.copyWithin(stampedBytes, 0, stampedBytes);
  expect(judge.judge(moved)).toEqual([expect.stringContaining("block 1 holds writing 1 of block 0")]);
  const damaged = image(1);
  damaged.writeUInt8(damaged.readUInt8(100) ^ 1, 100);
  expect(judge.judge(damaged)).toEqual(["block 0 holds what nobody wrote"]);
});
