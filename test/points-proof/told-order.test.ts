import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { HostLog, piecesOf } from "./host-log.ts";
import { ToldOrder } from "./told-order.ts";
import { VolumeReplay } from "./volume-replay.ts";

const blockBytes = 4096;
const sizeBytes = 16 * blockBytes;
const type = { write: 1, trim: 2, zero: 3, flush: 4 };

function newLog(): HostLog {
  const log = new HostLog(join(temporaryFolder(), "host.log"));
  onTestFinished(() => log[Symbol.dispose]());
  return log;
}

function head(seq: number, ofType: number, startBlock = 0, blockCount = 0) {
  return { seq, type: ofType, volume: 1, timeMicros: seq, startBlock, blockCount, extra: undefined };
}

function wrote(log: HostLog, block: number, fill: number) {
  return log.passed("write", block * blockBytes, blockBytes, Buffer.alloc(blockBytes, fill));
}

test("at each seq the volume is what its host had made of it, also within blocks", () => {
  const log = newLog();
  const order = new ToldOrder(log, sizeBytes);
  const replay = new VolumeReplay(log, order, sizeBytes);
  wrote(log, 2, 7);
  log.passed("write", 2 * blockBytes + 100, blockBytes, Buffer.alloc(blockBytes, 9));
  log.passed("trim", 2 * blockBytes, 2 * blockBytes - 1);
  order.take([head(5, type.write, 2, 1), head(6, type.write, 2, 2), head(7, type.flush), head(8, type.trim, 2, 1)]);
  const filled = (from: number, length: number, fill: number) => (image: Buffer) =>
    image.fill(fill, from, from + length);
  const wanted = Buffer.alloc(sizeBytes);
  expect(replay.at(4).equals(wanted)).toBe(true);
  filled(2 * blockBytes, blockBytes, 7)(wanted);
  expect(replay.at(5).equals(wanted)).toBe(true);
  filled(2 * blockBytes + 100, blockBytes, 9)(wanted);
  expect(replay.at(7).equals(wanted)).toBe(true);
  filled(2 * blockBytes, blockBytes, 0)(wanted);
  expect(replay.at(8).equals(wanted)).toBe(true);
  expect(replay.at(4).equals(Buffer.alloc(sizeBytes))).toBe(true);
});

test("requests that were under way together may be in any order, and others only in that of their answers", () => {
  const log = newLog();
  const order = new ToldOrder(log, sizeBytes);
  const [first] = [wrote(log, 1, 1), wrote(log, 2, 2)];
  order.take([head(1, type.write, 2, 1)]);
  log.answered(first as NonNullable<typeof first>, false);
  wrote(log, 3, 3);
  expect(() => order.take([head(2, type.write, 3, 1)])).toThrow(/seq 2, .* comes before the write .* at 4096/);
});

test("a record of nothing that was asked is no part of the order, and what was answered and is not there is missed", () => {
  const log = newLog();
  const order = new ToldOrder(log, sizeBytes);
  log.answered(wrote(log, 1, 1), false);
  expect(() => order.take([head(1, type.write, 2, 1)])).toThrow(/seq 1 is nothing that the host asked/);
  expect(() => order.checkWhole()).toThrow(/was answered, and is not in the order/);
});

test("what was refused makes no record, nor does a trim of no whole block", () => {
  const log = newLog();
  const order = new ToldOrder(log, sizeBytes);
  log.answered(log.passed("zero", 0, blockBytes), true);
  log.answered(log.passed("trim", 1, blockBytes), false);
  order.checkWhole();
});

test("a change becomes a record for each mebibyte, and zeros are writes where they end within blocks", () => {
  const log = newLog();
  const blocks = (change: ReturnType<typeof wrote>) =>
    piecesOf(change, 2 ** 30).map((piece) => [piece.type, piece.startBlock, piece.blockCount]);
  expect(blocks(log.passed("write", blockBytes - 1, 2 ** 20, Buffer.alloc(2 ** 20)))).toEqual([
    [type.write, 0, 256],
    [type.write, 256, 1],
  ]);
  expect(blocks(log.passed("zero", 100, 3 * blockBytes))).toEqual([
    [type.write, 0, 1],
    [type.zero, 1, 2],
    [type.write, 3, 1],
  ]);
  expect(blocks(log.passed("clear", 100, 200))).toEqual([[type.write, 0, 1]]);
});
