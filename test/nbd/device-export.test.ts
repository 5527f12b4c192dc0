import { describe, expect, test } from "vitest";
import { GiB, MiB } from "#src/core/limits.ts";
import {
  nbdExtentsPerReplyMax,
  nbdPunchPieceBytes,
  nbdZeroPieceBytes,
  paceSlowMs,
  paceSlowSeriesMax,
} from "#src/core/nbd-limits.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import { DeviceExport } from "#src/nbd/device-export.ts";
import { SimClock } from "#test/sim/sim-clock.ts";
import { SimHostClock } from "#test/sim/sim-host-clock.ts";
import { RecordedRequest } from "./recorded-request.ts";
import { type DeviceOptions, ScriptedDevice } from "./scripted-device.ts";

const payload = Buffer.from("new");

function exporting(options: DeviceOptions = {}) {
  const device = new ScriptedDevice(options);
  const world = new SimClock();
  const clock = new SimHostClock(world);
  const served = new DeviceExport(device, { name: "disk", description: "a disk", clock });
  const submit = (asked: ConstructorParameters<typeof RecordedRequest>[0]): RecordedRequest => {
    const request = new RecordedRequest(asked);
    served.submit(request);
    served.endBatch();
    expect(request.isKept || request.error !== undefined).toBe(true);
    return request;
  };
  const settle = (): void => {
    for (let turns = 0; turns < 4; turns++) {
      device.pay();
      world.advance(0);
    }
  };
  return { device, clock, served, submit, settle };
}

describe("reads", () => {
  test("of what is in memory are answered at once", () => {
    const { submit } = exporting();
    const request = submit({ command: command.read, offset: 1, length: 5 });
    expect([request.error, request.isKept, request.data.toString()]).toEqual([0, false, "ldold"]);
  });

  test("of what is not are kept until the device has it", () => {
    const { device, submit } = exporting();
    device.isCold = true;
    const request = submit({ command: command.read, offset: 3, length: 3 });
    expect([request.error, request.isKept]).toEqual([undefined, true]);
    device.pay();
    expect([request.error, request.data.toString()]).toEqual([0, "old"]);
  });

  test.each([true, false])("that fail are answered with an error; cold: %s", (isCold) => {
    const { device, submit } = exporting();
    device.isCold = isCold;
    device.failures.set(isCold ? "read" : "readNow", { position: 512, code: "EIO" });
    const request = submit({ command: command.read, offset: 512, length: 512 });
    device.pay();
    expect(request.error).toBe(nbdError.io);
  });
});

describe("writes", () => {
  test("are made at once and answered at once", () => {
    const { device, submit } = exporting();
    expect(submit({ command: command.write, offset: 3, payload }).error).toBe(0);
    expect(device.bytes.toString("latin1", 0, 9)).toBe("oldnewold");
    expect(device.owed).toEqual([]);
  });

  test("with FUA are answered when they are durable, not before", () => {
    const { device, submit } = exporting();
    const request = submit({ command: command.write, payload, fua: true });
    expect([request.error, device.calls]).toEqual([undefined, ["writeNow 0+3"]]);
    expect(request.isWithoutPayload).toBe(true);
    device.pay();
    expect([request.error, device.calls.at(-1)]).toEqual([0, "sync 0+0"]);
  });

  test("with FUA whose sync fails fail", () => {
    const { device, submit } = exporting();
    device.failures.set("sync", { position: 0, code: "EIO" });
    const request = submit({ command: command.write, payload, fua: true });
    device.pay();
    expect(request.error).toBe(nbdError.io);
  });

  test("that block the thread are left to others after a while, FUA as well", () => {
    const { device, clock, submit } = exporting();
    device.blocked = () => clock.elapse(paceSlowMs);
    for (let count = 0; count < paceSlowSeriesMax; count++) submit({ command: command.write, payload });
    const request = submit({ command: command.write, offset: 6, payload, fua: true });
    expect([request.error, request.isKept, device.bytes.toString("latin1", 6, 9)]).toEqual([undefined, true, "old"]);
    device.owed.shift()?.();
    expect([request.error, device.bytes.toString("latin1", 6, 9)]).toEqual([undefined, "new"]);
    device.pay();
    expect([request.error, device.calls.slice(-2)]).toEqual([0, ["write 6+3", "sync 0+0"]]);
  });

  test("that others make and that fail, fail, and are not synced", () => {
    const { device, clock, submit } = exporting();
    device.blocked = () => clock.elapse(paceSlowMs);
    for (let count = 0; count < paceSlowSeriesMax; count++) submit({ command: command.write, payload });
    device.failures.set("write", { position: 6, code: "ENOSPC" });
    const request = submit({ command: command.write, offset: 6, payload, fua: true });
    device.pay();
    expect([request.error, device.calls.at(-1)]).toEqual([nbdError.noSpace, "write 6+3"]);
  });

  test.each([
    ["ENOSPC", nbdError.noSpace],
    ["EDQUOT", nbdError.noSpace],
    ["EFBIG", nbdError.noSpace],
    ["EPERM", nbdError.notPermitted],
    ["EROFS", nbdError.notPermitted],
    ["ENOMEM", nbdError.noMemory],
    ["EIO", nbdError.io],
    ["EBADF", nbdError.io],
  ])("that fail with %s are answered with %d", (code, error) => {
    const { device, submit } = exporting();
    device.failures.set("writeNow", { position: 0, code });
    expect(submit({ command: command.write, payload, fua: true }).error).toBe(error);
    expect(device.owed).toEqual([]);
  });
});

describe("a flush", () => {
  test("is answered when the device has synced", () => {
    const { device, submit } = exporting();
    const request = submit({ command: command.flush });
    expect(request.error).toBeUndefined();
    device.pay();
    expect([request.error, device.calls]).toEqual([0, ["sync 0+0"]]);
  });

  test("fails when the sync fails", () => {
    const { device, submit } = exporting();
    device.failures.set("sync", { position: 0, code: "EIO" });
    const request = submit({ command: command.flush });
    device.pay();
    expect(request.error).toBe(nbdError.io);
  });
});

describe("a trim", () => {
  test.each([true, false])("is answered, whether the device can or not: %s", (canPunch) => {
    const { device, submit } = exporting();
    device.canPunch = canPunch;
    expect(submit({ command: command.trim, offset: 1, length: 4 }).error).toBe(0);
    expect(device.bytes.toString("latin1", 0, 6)).toBe(canPunch ? "o\0\0\0\0d" : "oldold");
  });

  test("with FUA is durable when it is answered", () => {
    const { device, submit } = exporting();
    const request = submit({ command: command.trim, offset: 1, length: 4, fua: true });
    expect(request.error).toBeUndefined();
    device.pay();
    expect([request.error, device.calls.at(-1)]).toEqual([0, "sync 0+0"]);
  });

  test("of a long range is done in pieces, so that others get their turn", () => {
    const { device, submit, settle } = exporting({ sizeBytes: 8 * GiB, memoryBytes: 0 });
    const request = submit({ command: command.trim, offset: 5, length: 2 * nbdPunchPieceBytes + 1 });
    expect([request.error, device.calls.length]).toEqual([undefined, 1]);
    settle();
    expect(device.calls).toEqual([
      `punch 5+${nbdPunchPieceBytes}`,
      `punch ${5 + nbdPunchPieceBytes}+${nbdPunchPieceBytes}`,
      `punch ${5 + 2 * nbdPunchPieceBytes}+1`,
    ]);
    expect(request.error).toBe(0);
  });

  test("that fails in the middle fails, and goes no further", () => {
    const { device, submit, settle } = exporting({ sizeBytes: 8 * GiB, memoryBytes: 0 });
    device.failures.set("punch", { position: nbdPunchPieceBytes, code: "EIO" });
    const request = submit({ command: command.trim, length: 3 * nbdPunchPieceBytes, fua: true });
    settle();
    expect([request.error, device.calls.length]).toEqual([nbdError.io, 2]);
  });
});

describe("zeroing", () => {
  const asked = { command: command.writeZeroes, offset: 1, length: 4 };

  test("makes a hole, or keeps the space for a client that wants no hole", () => {
    const { device, submit } = exporting();
    expect(submit(asked).error).toBe(0);
    expect(submit({ ...asked, noHole: true }).error).toBe(0);
    expect(device.calls).toEqual(["punch 1+4", "zero 1+4"]);
    expect(device.bytes.toString("latin1", 0, 6)).toBe("o\0\0\0\0d");
  });

  test.each([
    ["hole", { noHole: false }],
    ["range", { noHole: true }],
  ])("writes zeros where the device can make no zero %s", (_what, { noHole }) => {
    const { device, submit, settle } = exporting();
    device.canPunch = false;
    device.canZero = false;
    const request = submit({ ...asked, noHole });
    settle();
    expect([request.error, device.bytes.toString("latin1", 0, 6)]).toEqual([0, "o\0\0\0\0d"]);
  });

  test("is not written out for a client that wants it fast or not at all", () => {
    const { device, submit } = exporting();
    device.canPunch = false;
    expect(submit({ ...asked, fastZero: true }).error).toBe(nbdError.notSupported);
    expect(device.bytes.toString("latin1", 0, 6)).toBe("oldold");
    device.canPunch = true;
    expect(submit({ ...asked, fastZero: true }).error).toBe(0);
  });

  test("is written out in pieces, and is durable at the end if that was asked for", () => {
    const { device, submit, settle } = exporting({ sizeBytes: 8 * MiB });
    device.canPunch = false;
    const length = 2 * nbdZeroPieceBytes + 1;
    const request = submit({ command: command.writeZeroes, offset: 1, length, fua: true });
    settle();
    expect(request.error).toBe(0);
    expect(device.calls.slice(1)).toEqual([
      `write 1+${nbdZeroPieceBytes}`,
      `write ${1 + nbdZeroPieceBytes}+${nbdZeroPieceBytes}`,
      `write ${1 + 2 * nbdZeroPieceBytes}+1`,
      "sync 0+0",
    ]);
    expect(device.bytes.subarray(1, 1 + length).equals(Buffer.alloc(length))).toBe(true);
    expect([device.bytes[0], device.bytes[1 + length]].every((byte) => byte !== 0)).toBe(true);
  });

  test("that fails in the middle fails, and goes no further", () => {
    const { device, submit, settle } = exporting({ sizeBytes: 8 * MiB });
    device.canPunch = false;
    device.failures.set("write", { position: nbdZeroPieceBytes, code: "ENOSPC" });
    const request = submit({ command: command.writeZeroes, length: 3 * nbdZeroPieceBytes, fua: true });
    settle();
    expect([request.error, device.calls.length]).toEqual([nbdError.noSpace, 3]);
  });
});

describe("block status", () => {
  const asked = { command: command.blockStatus, length: MiB, contexts: ["base:allocation"] };

  test("tells holes and zeros as the protocol numbers them", () => {
    const { device, submit } = exporting();
    device.extents = [
      { lengthBytes: 10, hole: false, zero: false },
      { lengthBytes: 20, hole: true, zero: true },
      { lengthBytes: 30, hole: false, zero: true },
    ];
    const runs = [
      [10, 0],
      [20, 3],
      [30, 2],
    ].map(([lengthBytes, status]) => ({ lengthBytes, status }));
    expect(submit(asked).status).toEqual([runs]);
    expect(submit({ ...asked, requestOne: true }).status).toEqual([[runs[0]]]);
  });

  test("has runs of any length, but not without number", () => {
    const { device, submit } = exporting({ sizeBytes: 2 ** 50, memoryBytes: 0 });
    device.extents = new Array(nbdExtentsPerReplyMax + 5).fill({ lengthBytes: 2 ** 33, hole: true, zero: true });
    expect(submit({ ...asked, length: 2 ** 50 }).status?.[0]).toEqual(
      new Array(nbdExtentsPerReplyMax).fill({ lengthBytes: 2 ** 33, status: 3 }),
    );
  });

  test("that fails is an error", () => {
    const { device, submit } = exporting();
    device.failures.set("extents", { position: 0, code: "EIO" });
    expect(submit(asked).error).toBe(nbdError.io);
  });
});

describe("work in pieces stops when its client is gone, who may have come back and written where it would go on", () => {
  test("zeros that are written out", () => {
    const { device, submit, settle } = exporting({ sizeBytes: 4 * nbdZeroPieceBytes });
    device.canPunch = false;
    const request = submit({ command: command.writeZeroes, length: 4 * nbdZeroPieceBytes });
    device.owed.shift()?.();
    request.abandoned = true;
    settle();
    expect([device.calls.filter((call) => call.startsWith("write ")).length, request.error]).toEqual([2, nbdError.io]);
  });

  test("holes that are punched", () => {
    const { device, submit, settle } = exporting({ sizeBytes: 3 * nbdPunchPieceBytes, memoryBytes: MiB });
    const request = submit({ command: command.trim, length: 3 * nbdPunchPieceBytes });
    request.abandoned = true;
    settle();
    expect([device.calls.filter((call) => call.startsWith("punch ")).length, request.error]).toEqual([1, nbdError.io]);
  });
});

describe("a change of what an earlier one has not finished with", () => {
  const slowDown = (world: ReturnType<typeof exporting>): void => {
    world.device.blocked = () => world.clock.elapse(paceSlowMs);
    for (let count = 0; count < paceSlowSeriesMax; count++)
      world.submit({ command: command.write, payload, offset: 900 });
    world.device.blocked = () => {};
    world.device.calls.length = 0;
  };

  test("waits, so that the newer bytes stay", () => {
    const world = exporting();
    slowDown(world);
    const older = world.submit({ command: command.write, payload: Buffer.from("older"), offset: 10 });
    const newer = world.submit({ command: command.write, payload: Buffer.from("newer"), offset: 12 });
    // Were both with the device, it could do them in any order.
    expect(world.device.owed).toHaveLength(1);
    world.settle();
    expect([older.error, newer.error]).toEqual([0, 0]);
    expect(world.device.bytes.toString("latin1", 10, 17)).toBe("olnewer");
  });

  test("waits behind a zeroing in pieces", () => {
    const world = exporting({ sizeBytes: 4 * nbdZeroPieceBytes });
    world.device.canPunch = false;
    const zeroing = world.submit({ command: command.writeZeroes, length: 4 * nbdZeroPieceBytes });
    const newer = world.submit({ command: command.write, payload, offset: 3 * nbdZeroPieceBytes });
    expect([zeroing.error, newer.error]).toEqual([undefined, undefined]);
    world.settle();
    expect([zeroing.error, newer.error]).toEqual([0, 0]);
    expect(world.device.bytes.toString("latin1", 3 * nbdZeroPieceBytes, 3 * nbdZeroPieceBytes + 3)).toBe("new");
  });

  test("is not made at all if its client is gone when its turn comes", () => {
    const world = exporting();
    slowDown(world);
    world.submit({ command: command.write, payload: Buffer.from("older"), offset: 10 });
    const orphan = world.submit({ command: command.write, payload: Buffer.from("newer"), offset: 10 });
    orphan.abandoned = true;
    world.settle();
    expect([orphan.error, world.device.bytes.toString("latin1", 10, 15)]).toEqual([nbdError.io, "older"]);
  });

  test("does not wait where the ranges only touch", () => {
    const world = exporting();
    slowDown(world);
    world.submit({ command: command.write, payload: Buffer.from("left"), offset: 10 });
    world.submit({ command: command.write, payload: Buffer.from("right"), offset: 14 });
    expect(world.device.owed).toHaveLength(2);
    world.settle();
  });
});

test("a hint to cache is passed on and answered at once", () => {
  const { device, submit } = exporting();
  expect(submit({ command: command.cache, offset: 5, length: 6 }).error).toBe(0);
  expect(device.calls).toEqual(["willNeed 5+6"]);
});

test("an export can what its device can", () => {
  expect(exporting({ readOnly: true, rotational: true }).served.features).toMatchObject({
    readOnly: true,
    rotational: true,
  });
  expect(exporting().served).toMatchObject({
    sizeBytes: MiB,
    features: { readOnly: false, rotational: false, flush: true },
  });
});
