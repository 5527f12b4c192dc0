import { expect, test } from "vitest";
import type { FileHandle } from "#src/host/files.ts";
import type { SimHost } from "./sim-host.ts";
import { Simulation } from "./simulation.ts";

function world(seed = 1): { simulation: Simulation; host: SimHost } {
  const simulation = new Simulation(seed);
  return { simulation, host: simulation.host("a") };
}

function write(handle: FileHandle, text: string, position = 0): void {
  handle.writeNow(Buffer.from(text), 0, text.length, position);
}

function read(handle: FileHandle, position: number, lengthBytes: number): string {
  const bytes = Buffer.alloc(lengthBytes);
  return bytes.toString("latin1", 0, handle.readNow(bytes, 0, lengthBytes, position));
}

test("a call that was ordered to fail fails once, with the code that was ordered", () => {
  const { host } = world();
  const handle = host.files.create("/a");
  host.disk.failNext("write", "EROFS");
  host.disk.failNext("read");
  expect(() => write(handle, "abc")).toThrow("EROFS");
  write(handle, "abc");
  expect(() => read(handle, 0, 3)).toThrow("EIO");
  expect(read(handle, 0, 3)).toBe("abc");
});

test("a write that fails may have been done in part, from its start on", () => {
  const lengths = new Set<number>();
  for (let seed = 0; seed < 50; seed++) {
    const { host } = world(seed);
    const handle = host.files.create("/a");
    host.disk.failNext("write");
    expect(() => write(handle, "x".repeat(2048))).toThrow("EIO");
    expect(read(handle, 0, 4096)).toBe("x".repeat(handle.sizeBytesNow()));
    lengths.add(handle.sizeBytesNow());
  }
  expect([...lengths].sort((a, b) => a - b)).toEqual([0, 512, 1024, 1536, 2048]);
});

test("calls fail by chance as often as was set", () => {
  const { host } = world();
  const handle = host.files.create("/a");
  write(handle, "abc");
  host.disk.faults.readErrorChance = 0.2;
  let failures = 0;
  for (let count = 0; count < 1000; count++) {
    try {
      read(handle, 0, 3);
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe("EIO");
      failures++;
    }
  }
  expect(failures).toBeGreaterThan(150);
  expect(failures).toBeLessThan(250);
});

test("after a failed sync what was not synced is gone from the disk, and no later sync of the handle is a success", () => {
  let goneCount = 0;
  for (let seed = 0; seed < 50; seed++) {
    const { host, simulation } = world(seed);
    const handle = host.files.create("/a");
    const other = host.files.open("/a", "readWrite");
    write(handle, "new");
    host.disk.failNext("sync");
    const answers: unknown[] = [];
    const note = (error: Error | null): void => {
      answers.push((error as NodeJS.ErrnoException | null)?.code ?? "done");
    };
    handle.sync(note);
    simulation.clock.runUntilIdle();
    handle.sync(note);
    other.sync(note);
    simulation.clock.runUntilIdle();
    host.files.open("/a", "readWrite").sync(note);
    simulation.clock.runUntilIdle();
    expect(answers).toEqual(["EIO", "EIO", "EIO", "done"]);
    expect(handle.sizeBytesNow()).toBe(3);
    const content = read(handle, 0, 3);
    expect(["new", "\0\0\0"]).toContain(content);
    if (content !== "new") goneCount++;
  }
  expect(goneCount).toBeGreaterThan(10);
});

test("a full disk takes what fits, says so, and takes more when there is room again", () => {
  const { host } = world();
  host.disk.faults.capacityBytes = 4 * 4096;
  const handle = host.files.create("/a");
  write(handle, "a".repeat(3 * 4096));
  expect(() => write(handle, "b".repeat(3 * 4096), 2 * 4096)).toThrow("ENOSPC");
  expect([handle.sizeBytesNow(), read(handle, 2 * 4096, 100)]).toEqual([4 * 4096, "b".repeat(100)]);
  write(handle, "c".repeat(4096), 0);
  const second = host.files.create("/b");
  expect(() => write(second, "d")).toThrow("ENOSPC");
  handle.truncateNow(4096);
  write(second, "d");
  expect(host.disk.spaceBytes).toBe(2 * 4096);
});

test("an order for the next open is for files that are made as well, and leaves nothing behind", () => {
  const { host } = world();
  for (let count = 0; count < 2; count++) host.disk.failNext("open", "EMFILE");
  expect(() => host.files.create("/a")).toThrow("EMFILE");
  expect(host.files.exists("/a")).toBe(false);
  expect(() => host.files.open("/b", "read")).toThrow("EMFILE");
  expect(() => host.files.open("/b", "read")).toThrow("ENOENT");
});

test("a removed file gives its space back when nobody has it open", () => {
  const { host } = world();
  const handle = host.files.create("/a");
  write(handle, "x".repeat(10_000));
  host.files.remove("/a");
  expect(host.disk.spaceBytes).toBe(12_288);
  handle.close();
  expect(host.disk.spaceBytes).toBe(0);
});

test("damaged bytes cannot be read until they are written again, those beside them can", () => {
  const { host } = world();
  const handle = host.files.create("/a");
  write(handle, "x".repeat(4096));
  host.disk.fileAt("/a").damage(1024, 512);
  expect(() => read(handle, 0, 4096)).toThrow("EIO");
  expect(() => read(handle, 1535, 1)).toThrow("EIO");
  expect([read(handle, 0, 1024).length, read(handle, 1536, 512).length]).toEqual([1024, 512]);
  write(handle, "y".repeat(100), 1024);
  expect(() => read(handle, 1024, 100)).toThrow("EIO");
  write(handle, "z".repeat(512), 1024);
  expect(read(handle, 1024, 512)).toBe("z".repeat(512));
});

test("a flipped bit is one bit, and stays through a power cut", () => {
  const { host, simulation } = world();
  const handle = host.files.create("/a");
  write(handle, "aaaa");
  host.files.syncFolder("/", () => {});
  simulation.clock.runUntilIdle();
  host.disk.fileAt("/a").flipBit(2, 1);
  expect(read(handle, 0, 4)).toBe("aaca");
  host.cutPower();
  expect(read(host.files.open("/a", "read"), 0, 4)).toBe("aaca");
});

test("a stalled disk answers late, and takes the time of those who cannot wait", () => {
  const { host, simulation } = world();
  const handle = host.files.create("/a");
  let syncedMs = 0;
  host.disk.stall(30_000);
  handle.sync(() => {
    syncedMs = host.clock.monotonicMs();
  });
  simulation.clock.advance(1000);
  expect(syncedMs).toBe(0);
  write(handle, "abc");
  expect(host.clock.monotonicMs()).toBe(30_000);
  simulation.clock.runUntilIdle();
  expect(syncedMs).toBeGreaterThanOrEqual(30_000);
});

test("a zeroed range far larger than memory is settled at a power cut", () => {
  const { host } = world();
  host.files.create("/a").truncateNow(2 ** 43);
  const device = host.openBlockDevice("/a", { readOnly: false });
  device.writeNow(Buffer.from("far"), 0, 3, 2 ** 42);
  device.punchHoleNow(0, 2 ** 43);
  const target = Buffer.alloc(3);
  device.readNow(target, 0, 3, 2 ** 42);
  expect(target).toEqual(Buffer.alloc(3));
  host.cutPower();
});
