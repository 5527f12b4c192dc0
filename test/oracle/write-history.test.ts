import { expect, test } from "vitest";
import { putStamp, stampedBytes } from "./block-stamp.ts";
import { WriteHistory, type Writing } from "./write-history.ts";

const volume = 7;
const zeros = Buffer.alloc(stampedBytes);

function found(number: number, block = 0, ofVolume = volume): Buffer {
  const bytes = Buffer.alloc(stampedBytes);
  putStamp(bytes, 0, { volume: ofVolume, block, number });
  return bytes;
}

/** The first sectors of one, the rest of the other. */
function mixture(first: Buffer, rest: Buffer): Buffer {
  return Buffer.concat([first.subarray(0, 1024), rest.subarray(1024)]);
}

function answered(history: WriteHistory, kind: Writing["kind"] = "write", block = 0, count = 1): Writing {
  const writing = history.issue(kind, block, count);
  history.replied(writing);
  return writing;
}

function flush(history: WriteHistory): void {
  history.flushReplied(history.flushIssued());
}

test("a block that was never written holds zeros", () => {
  const history = new WriteHistory(volume, 4);
  expect(history.settle(0, zeros)).toBeUndefined();
  expect(history.settle(1, Buffer.alloc(stampedBytes, 1))).toMatch(/damaged/);
});

test("what no flush covered may be lost, may be there", () => {
  for (const number of [1, 2]) {
    const history = new WriteHistory(volume, 4);
    answered(history);
    answered(history);
    expect(history.settle(0, found(number))).toBeUndefined();
  }
});

test("what a flush covered may not be lost", () => {
  const history = new WriteHistory(volume, 4);
  answered(history);
  answered(history);
  flush(history);
  answered(history);
  expect(history.settle(0, found(1))).toMatch(/writing 1 .* allowed was 2 \(write\), 3/);
  expect(history.settle(0, zeros)).toMatch(/zeros/);
  expect(history.settle(0, found(2))).toBeUndefined();
});

test("a flush that was handed over before an answer does not cover it", () => {
  const history = new WriteHistory(volume, 4);
  const token = history.flushIssued();
  answered(history);
  history.flushReplied(token);
  expect(history.settle(0, zeros)).toBeUndefined();
});

test("what was seen once does not change any more by itself", () => {
  const history = new WriteHistory(volume, 4);
  answered(history);
  answered(history);
  expect(history.settle(0, found(1))).toBeUndefined();
  expect(history.settle(0, found(2))).toMatch(/allowed was/);
});

test("what was lost is not promised by a later flush, what was seen is", () => {
  const history = new WriteHistory(volume, 4);
  answered(history, "write", 0, 2);
  history.restarted();
  expect(history.settle(0, zeros)).toBeUndefined();
  expect(history.settle(1, found(1, 1))).toBeUndefined();
  flush(history);
  expect(history.settle(0, zeros)).toBeUndefined();
  expect(history.settle(1, zeros)).toMatch(/zeros/);
});

test("the stamp of another block or volume fits nowhere", () => {
  const history = new WriteHistory(volume, 4);
  answered(history);
  expect(history.settle(0, found(1, 1))).toMatch(/block 1/);
  expect(history.settle(0, found(1, 0, 8))).toMatch(/volume 8/);
});

test("a trim may have been dropped, a zeroing not", () => {
  const history = new WriteHistory(volume, 4);
  for (const block of [0, 1]) answered(history, "write", block);
  answered(history, "trim", 0);
  answered(history, "zero", 1);
  flush(history);
  expect(history.judge(0, found(1))).toBeUndefined();
  expect(history.judge(0, zeros)).toBeUndefined();
  expect(history.judge(1, found(2, 1))).toMatch(/allowed was .*4 \(zero\)/);
  expect(history.judge(1, zeros)).toBeUndefined();
});

test("a read brings the newest, nothing older", () => {
  const history = new WriteHistory(volume, 4);
  answered(history);
  answered(history);
  expect(history.judge(0, found(1))).toMatch(/writing 1/);
  expect(history.judge(0, found(2))).toBeUndefined();
});

test("a prefix has an order that could have been seen", () => {
  const history = new WriteHistory(volume, 4);
  answered(history, "write", 0);
  answered(history, "write", 1);
  expect(history.judgePrefix([1, 2])).toBeUndefined();
  expect(history.judgePrefix([1])).toBeUndefined();
  expect(history.judgePrefix([2, 1])).toMatch(/answered before/);
  expect(history.judgePrefix([3])).toMatch(/never handed over/);
});

test("a prefix has no hole, but writings under way at the same time may come in any order", () => {
  const history = new WriteHistory(volume, 4);
  const one = history.issue("write", 0, 1);
  const two = history.issue("write", 1, 1);
  history.replied(two);
  history.replied(one);
  expect(history.judgePrefix([2])).toBeUndefined();
  answered(history, "write", 2);
  expect(history.judgePrefix([2, 3])).toMatch(/writing 1 is missing/);
});

test("a writing of which nobody can tell when it came is no hole, and no place in the order", () => {
  const history = new WriteHistory(volume, 4);
  for (const block of [0, 1, 2]) answered(history, "write", block);
  expect(history.judgePrefix([1, 3], 0, new Set([2]))).toBeUndefined();
  expect(history.judgePrefix([3], 0, new Set([2]))).toMatch(/writing 1 is missing/);
});

test("where power was lost an unpromised writing may be there in part, and stays as it is", () => {
  const history = new WriteHistory(volume, 4);
  answered(history);
  flush(history);
  answered(history);
  const torn = mixture(found(2), found(1));
  expect(history.settle(0, torn)).toMatch(/damaged/);
  expect(history.settle(0, torn, { mayBeTorn: true })).toBeUndefined();
  expect(history.settle(0, torn)).toBeUndefined();
  expect(history.judge(0, torn)).toBeUndefined();
  expect(history.judge(0, found(2))).toMatch(/torn before/);
});

test("a mixture with what is older than a promise is none that may be found", () => {
  const history = new WriteHistory(volume, 4);
  answered(history);
  answered(history);
  flush(history);
  answered(history);
  expect(history.settle(0, mixture(found(3), found(1)), { mayBeTorn: true })).toMatch(/damaged/);
});

test("a row that begins after a cut of the power need not have what was lost by it", () => {
  const history = new WriteHistory(volume, 4);
  for (const block of [0, 1, 2, 3]) answered(history, "write", block);
  expect(history.judgePrefix([1, 3, 4])).toMatch(/writing 2 is missing/);
  expect(history.judgePrefix([1, 3, 4], 2)).toBeUndefined();
  expect(history.judgePrefix([1, 4], 2)).toMatch(/writing 3 is missing/);
});

test("what was promised is known until the next accident", () => {
  const history = new WriteHistory(volume, 4);
  answered(history);
  flush(history);
  answered(history);
  expect([...history.promised]).toEqual([1]);
  history.restarted();
  expect(history.settle(0, found(2))).toBeUndefined();
  flush(history);
  expect([...history.promised]).toEqual([]);
});
