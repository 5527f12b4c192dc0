/** What every implementation of the block device port must do. */
import { describe, expect, onTestFinished, test } from "vitest";
import type { BlockDevice, Extent } from "#src/host/block-device.ts";
import { completion, type Driver } from "./driver.ts";

export interface BlockDeviceBench {
  /** Opens one and the same device each time: of `deviceBytes` bytes, all zeros and without data at first. */
  open(options: { readonly readOnly: boolean }): BlockDevice;
  readonly driver: Driver;
}

export const deviceBytes = 256 * 1024;
const blockBytes = 4096;

export function describeBlockDeviceContract(name: string, make: () => BlockDeviceBench): void {
  describe(`${name} keeps the contract of block devices`, () => {
    describeBytes(make);
    describeAnswers(make);
    describeZeros(make);
    describeExtents(make);
    describeReadOnly(make);
  });
}

function opened(bench: BlockDeviceBench, readOnly = false): BlockDevice {
  const device = bench.open({ readOnly });
  onTestFinished(() => device.close());
  return device;
}

function readAll(device: BlockDevice): Buffer {
  const bytes = Buffer.alloc(device.sizeBytes, "?");
  device.readNow(bytes, 0, bytes.length, 0);
  return bytes;
}

/** Bytes that differ from place to place. */
function pattern(lengthBytes: number, start = 0): Buffer {
  return Buffer.from(Array.from({ length: lengthBytes }, (_, index) => 1 + ((start + index) % 251)));
}

function describeBytes(make: () => BlockDeviceBench): void {
  test("a device has the size of what is behind it, and reads as zeros where nothing was written", () => {
    const device = opened(make());
    expect([device.sizeBytes, device.readOnly]).toEqual([deviceBytes, false]);
    expect(readAll(device).equals(Buffer.alloc(deviceBytes))).toBe(true);
  });

  test("bytes are written and read at their positions, aligned or not", () => {
    const device = opened(make());
    const model = Buffer.alloc(deviceBytes);
    for (const [position, lengthBytes] of [
      [0, 1],
      [4095, 2],
      [8192, 4096],
      [5000, 100_000],
      [deviceBytes - 513, 513],
      [12_288, 0],
    ] as const) {
      const bytes = pattern(lengthBytes, position);
      device.writeNow(bytes, 0, lengthBytes, position);
      bytes.copy(model, position);
    }
    expect(readAll(device).equals(model)).toBe(true);
  });

  test("only the asked part of the buffer is written, and only that part is filled", () => {
    const device = opened(make());
    device.writeNow(Buffer.from("..abc.."), 2, 3, 10);
    const target = Buffer.from("---------");
    device.readNow(target, 2, 5, 9);
    expect(target.toString()).toBe("--\0abc\0--");
  });

  test("two openings of one device see the same bytes at once", () => {
    const bench = make();
    const [first, second] = [opened(bench), opened(bench)];
    first.writeNow(Buffer.from("abc"), 0, 3, 100);
    const target = Buffer.alloc(3);
    second.readNow(target, 0, 3, 100);
    expect(target.toString()).toBe("abc");
  });

  test("what is cached, if it is, is what was written; what is not is left for a read that waits", () => {
    const device = opened(make());
    const bytes = pattern(20_000);
    device.writeNow(bytes, 0, bytes.length, 3000);
    let cachedCount = 0;
    for (let attempt = 0; attempt < 50; attempt++) {
      const target = Buffer.alloc(21_000, "?");
      if (!device.readIfCached(target, 500, 20_000, 3000)) continue;
      cachedCount++;
      expect(target.subarray(500, 20_500).equals(bytes)).toBe(true);
      expect([target[499], target[20_500]]).toEqual([63, 63]);
    }
    expect(cachedCount).toBeGreaterThan(0);
  });

  test("a hint changes nothing", () => {
    const device = opened(make());
    device.writeNow(pattern(5000), 0, 5000, 0);
    const before = readAll(device);
    device.willNeed(0, deviceBytes);
    device.willNeed(1, 1);
    expect(readAll(device).equals(before)).toBe(true);
  });
}

function describeAnswers(make: () => BlockDeviceBench): void {
  test("what may wait calls back once, after the call has returned", async () => {
    const bench = make();
    const device = opened(bench);
    const bytes = pattern(10_000);
    const target = Buffer.alloc(10_000);
    const calls: string[] = [];
    const begin = (what: string, start: (done: (error: Error | null) => void) => void): void => {
      let hasReturned = false;
      start((error) =>
        calls.push(`${what} ${hasReturned ? "later" : "nested"} ${error === null ? "done" : error.message}`),
      );
      hasReturned = true;
    };
    begin("write", (done) => device.write(bytes, 0, 10_000, 500, done));
    await bench.driver.until(() => calls.length === 1);
    begin("sync", (done) => device.sync(done));
    await bench.driver.until(() => calls.length === 2);
    begin("read", (done) => device.read(target, 0, 10_000, 500, done));
    await bench.driver.until(() => calls.length === 3);
    await bench.driver.quiet();
    expect(calls).toEqual(["write later done", "sync later done", "read later done"]);
    expect(target.equals(bytes)).toBe(true);
  });

  test("many reads and writes under way at once do not mix", async () => {
    const bench = make();
    const device = opened(bench);
    const count = 40;
    let doneCount = 0;
    const done = (error: Error | null): void => {
      expect(error).toBe(null);
      doneCount++;
    };
    const pieces = Array.from({ length: count }, (_, index) => pattern(5000, index * 13));
    for (const [index, piece] of pieces.entries()) device.write(piece, 0, 5000, index * 6000, done);
    await bench.driver.until(() => doneCount === count);
    const targets = pieces.map(() => Buffer.alloc(5000));
    for (const [index, target] of targets.entries()) device.read(target, 0, 5000, index * 6000, done);
    await bench.driver.until(() => doneCount === 2 * count);
    expect(targets.every((target, index) => target.equals(pieces[index] as Buffer))).toBe(true);
  });

  test("each of many syncs is answered, also when asked for inside of another's answer", async () => {
    const bench = make();
    const device = opened(bench);
    device.writeNow(Buffer.from("abc"), 0, 3, 0);
    let answers = 0;
    for (let index = 0; index < 10; index++) {
      device.sync(() => {
        answers++;
        device.sync(() => {
          answers++;
        });
      });
    }
    await bench.driver.until(() => answers === 20);
    await bench.driver.quiet();
    expect(answers).toBe(20);
  });

  test("what is under way is answered after the device was closed", async () => {
    const bench = make();
    const device = bench.open({ readOnly: false });
    const answers: (Error | null)[] = [];
    const target = Buffer.alloc(100);
    device.write(Buffer.alloc(100, "x"), 0, 100, 0, (error) => answers.push(error));
    device.read(target, 0, 100, 200, (error) => answers.push(error));
    device.sync((error) => answers.push(error));
    device.sync((error) => answers.push(error));
    device.close();
    await bench.driver.until(() => answers.length === 4);
    await bench.driver.quiet();
    expect(answers).toEqual([null, null, null, null]);
    expect(readAll(opened(bench)).toString("latin1", 98, 102)).toBe("xx\0\0");
  });
}

function describeZeros(make: () => BlockDeviceBench): void {
  for (const call of ["punchHoleNow", "zeroRangeNow"] as const) {
    test(`${call} leaves zeros in exactly its range, or says that it cannot and changes nothing`, () => {
      const device = opened(make());
      const model = pattern(deviceBytes);
      device.writeNow(model, 0, deviceBytes, 0);
      for (const [position, lengthBytes] of [
        [0, 4096],
        [10_000, 3],
        [16_384, 65_536],
        [100_001, 50_000],
        [deviceBytes - 100, 100],
      ] as const) {
        if (device[call](position, lengthBytes)) model.fill(0, position, position + lengthBytes);
        expect(readAll(device).equals(model)).toBe(true);
      }
    });

    test(`${call} over nothing, and over what was zero before, is well`, () => {
      const device = opened(make());
      device[call](0, deviceBytes);
      device[call](0, deviceBytes);
      expect(readAll(device).equals(Buffer.alloc(deviceBytes))).toBe(true);
      device.writeNow(Buffer.from("abc"), 0, 3, 5000);
      expect(readAll(device).toString("latin1", 4999, 5004)).toBe("\0abc\0");
    });
  }
}

function describeExtents(make: () => BlockDeviceBench): void {
  /** Extents cover the range without a gap, and nothing in a zero extent is anything else. */
  function expectTruth(device: BlockDevice, position: number, extents: readonly Extent[]): void {
    const bytes = readAll(device);
    let at = position;
    for (const { lengthBytes, hole, zero } of extents) {
      expect(lengthBytes).toBeGreaterThan(0);
      if (zero) expect(bytes.subarray(at, at + lengthBytes).equals(Buffer.alloc(lengthBytes))).toBe(true);
      if (hole) expect(zero).toBe(true);
      at += lengthBytes;
    }
  }

  function lengthOf(extents: readonly Extent[]): number {
    return extents.reduce((sum, extent) => sum + extent.lengthBytes, 0);
  }

  test("extents cover the whole range and never call data zeros", () => {
    const device = opened(make());
    for (const position of [0, 20_000, 65_536, 131_072]) device.writeNow(pattern(5000), 0, 5000, position);
    device.punchHoleNow(65_536, 4096);
    device.zeroRangeNow(131_072, 4096);
    for (const [position, lengthBytes] of [
      [0, deviceBytes],
      [1, 30_000],
      [22_000, 10],
      [deviceBytes - 1, 1],
    ] as const) {
      const extents = device.extentsNow(position, lengthBytes, 1000);
      expect(lengthOf(extents)).toBe(lengthBytes);
      expectTruth(device, position, extents);
    }
  });

  test("no more extents are given than were asked for, from the start of the range on", () => {
    const device = opened(make());
    for (let position = 0; position < deviceBytes; position += 65_536) device.writeNow(pattern(10), 0, 10, position);
    for (const countMax of [1, 2, 3]) {
      const extents = device.extentsNow(0, deviceBytes, countMax);
      expect(extents.length).toBeLessThanOrEqual(countMax);
      expect(lengthOf(extents)).toBeGreaterThan(0);
      expectTruth(device, 0, extents);
    }
  });

  test("extents of nothing are none", () => {
    expect(opened(make()).extentsNow(blockBytes, 0, 10)).toEqual([]);
  });
}

function describeReadOnly(make: () => BlockDeviceBench): void {
  test("a device opened to be read is not written, by any call", async () => {
    const bench = make();
    opened(bench).writeNow(pattern(deviceBytes), 0, deviceBytes, 0);
    const device = opened(bench, true);
    expect(device.readOnly).toBe(true);
    expect(() => device.writeNow(Buffer.from("x"), 0, 1, 0)).toThrow(/EBADF|EPERM/);
    expect(await completion(bench.driver, (done) => device.write(Buffer.from("x"), 0, 1, 0, done))).not.toBe(null);
    for (const call of ["punchHoleNow", "zeroRangeNow"] as const) {
      let isDone: boolean;
      try {
        isDone = device[call](0, blockBytes);
      } catch {
        isDone = false;
      }
      expect(isDone).toBe(false);
    }
    expect(readAll(device).equals(pattern(deviceBytes))).toBe(true);
  });
}

/** Ranges are checked where they come in from outside; that the device checks them again guards what lies beside it. */
export function describeBlockDeviceBounds(name: string, make: () => BlockDeviceBench): void {
  test(`${name} refuses a range that does not lie within it, and stays as large as it is`, async () => {
    const bench = make();
    const device = opened(bench);
    const bytes = pattern(8192);
    for (const [position, lengthBytes] of [
      [deviceBytes - 4096, 8192],
      [deviceBytes, 1],
      [deviceBytes + 4096, 4096],
    ] as const) {
      expect(() => device.writeNow(bytes, 0, lengthBytes, position)).toThrow();
      expect(() => device.readNow(bytes, 0, lengthBytes, position)).toThrow();
      expect(() => device.write(bytes, 0, lengthBytes, position, () => {})).toThrow();
      expect(() => device.read(bytes, 0, lengthBytes, position, () => {})).toThrow();
      expect(() => device.punchHoleNow(position, lengthBytes)).toThrow();
      expect(() => device.zeroRangeNow(position, lengthBytes)).toThrow();
    }
    await bench.driver.quiet();
    const again = opened(bench);
    expect(again.sizeBytes).toBe(deviceBytes);
    expect(readAll(again).equals(Buffer.alloc(deviceBytes))).toBe(true);
  });
}
