import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { GiB, MiB } from "#src/core/limits.ts";
import { nbdPunchPieceBytes, nbdZeroPieceBytes, paceSlowMs, paceSlowSeriesMax } from "#src/core/nbd-limits.ts";
import { sourceClosePatienceMs } from "#src/core/volume-limits.ts";
import { openBlockDevice } from "#src/host/node/block-device.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { DeviceSource } from "#src/interceptor/device-source.ts";
import { type DeviceOptions, ScriptedDevice } from "#test/nbd/scripted-device.ts";
import { SimClock } from "#test/sim/sim-clock.ts";
import { SimHostClock } from "#test/sim/sim-host-clock.ts";

function made(options: DeviceOptions = {}, prepare: (device: ScriptedDevice) => void = () => {}) {
  const device = new ScriptedDevice(options);
  prepare(device);
  const world = new SimClock();
  const clock = new SimHostClock(world);
  const source = new DeviceSource(device, clock);
  device.calls.length = 0;
  const outcome: { error?: Error | null } = {};
  const done = (error: Error | null): void => {
    outcome.error = error;
  };
  const settle = (): void => {
    for (let turns = 0; turns < 8; turns++) {
      device.pay();
      world.advance(0);
    }
  };
  return { device, world, clock, source, outcome, done, settle };
}

test("a device that turns slow is written by others", () => {
  const { device, clock, source } = made();
  expect(source.mayWriteNow()).toBe(true);
  device.blocked = () => clock.elapse(paceSlowMs);
  for (let count = 0; count < paceSlowSeriesMax; count++) source.writeNow(Buffer.from("new"), 0, 3, 0);
  expect(source.mayWriteNow()).toBe(false);
});

describe("clearing", () => {
  test.each([
    ["holes", false, "punch"],
    ["zeros that keep their space", true, "zero"],
  ])("makes %s, in pieces", (_what, keepSpace, call) => {
    const { device, source, outcome, done, settle } = made({ sizeBytes: 4 * GiB, memoryBytes: 0 });
    const length = keepSpace ? 20 * MiB : nbdPunchPieceBytes + MiB;
    source.clear(MiB, length, keepSpace, done);
    settle();
    expect(outcome.error).toBeNull();
    expect(device.calls.length).toBeGreaterThan(1);
    expect(device.calls.every((one) => one.startsWith(call))).toBe(true);
    expect(source.clearsFast(keepSpace)).toBe(true);
  });

  test.each([true, false])(
    "writes zeros where the device can do no better, and remembers that; keeps space: %s",
    (keepSpace) => {
      const { device, source, outcome, done, settle } = made({ sizeBytes: 4 * MiB });
      device.canPunch = false;
      device.canZero = false;
      source.clear(512, nbdZeroPieceBytes + 512, keepSpace, done);
      settle();
      expect(outcome.error).toBeNull();
      expect(device.bytes.subarray(512, nbdZeroPieceBytes + 1024).every((byte) => byte === 0)).toBe(true);
      expect(device.bytes.toString("latin1", 510, 512)).not.toBe("\0\0");
      expect([source.clearsFast(keepSpace), source.trimReadsZeros]).toEqual([false, keepSpace]);
    },
  );

  test("that fails in the middle fails", () => {
    const { device, source, outcome, done, settle } = made({ sizeBytes: 4 * GiB, memoryBytes: 0 });
    device.failures.set("punch", { position: nbdPunchPieceBytes, code: "EIO" });
    source.clear(0, 3 * nbdPunchPieceBytes, false, done);
    settle();
    expect(outcome.error?.message).toBe("EIO");
    expect(device.calls).toHaveLength(2);
  });
});

test("whether it can punch is tried where that changes nothing: in a hole", () => {
  const hole = { lengthBytes: 64 * 1024, hole: true, zero: true };
  const data = { lengthBytes: 5000, hole: false, zero: false };
  const tried: string[] = [];
  const { source } = made({}, (device) => {
    device.extents = [data, hole];
    device.canPunch = false;
    const punch = device.punchHoleNow.bind(device);
    device.punchHoleNow = (position, length) => {
      tried.push(`${position}+${length}`);
      return punch(position, length);
    };
  });
  expect(tried).toEqual(["8192+4096"]);
  expect([source.trimReadsZeros, source.clearsFast(false)]).toEqual([false, false]);
});

test("without a hole nobody knows: a trim is tried, and what must be fast is not promised", () => {
  const { source } = made({}, (device) => {
    device.extents = [{ lengthBytes: MiB, hole: false, zero: false }];
  });
  expect([source.trimReadsZeros, source.clearsFast(false)]).toEqual([true, false]);
});

describe("a source that is closed", () => {
  test("beside a read under way can be opened anew at once: until then its lock would be held", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tidemark-source-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, "image");
    await writeFile(path, Buffer.alloc(MiB));
    const open = () => new DeviceSource(openBlockDevice(path, { readOnly: false, exclusive: true }), nodeClock);
    const source = open();
    let answer: Error | null | undefined;
    source.read(Buffer.alloc(MiB), 0, MiB, 0, (error) => {
      answer = error;
    });
    await source.close();
    expect(answer).toBeNull();
    await open().close();
  });

  test("is waited for until its device has answered, but not for ever, and then it is said why", async () => {
    const { device, world, source } = made();
    const closes: string[] = [];
    device.close = () => void closes.push("closed");
    source.read(Buffer.alloc(512), 0, 512, 0, () => {});
    const closing = source.close();
    world.advance(sourceClosePatienceMs - 1);
    await Promise.resolve();
    expect(closes).toEqual([]);
    world.advance(1);
    await expect(closing).rejects.toThrow("the disk of scripted has not answered a call");
    const again = source.close();
    device.pay();
    await again;
    expect(closes).toEqual(["closed"]);
  });
});
