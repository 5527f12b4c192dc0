import { expect, test } from "vitest";
import { Simulation } from "./simulation.ts";

test("a machine has a new boot id after a power cut, and only then", () => {
  const host = new Simulation(1).host("a");
  const bootId = host.bootId;
  host.kill();
  expect(host.bootId).toBe(bootId);
  host.cutPower();
  expect(host.bootId).not.toBe(bootId);
});

test.each(["kill", "cutPower"] as const)("after %s no folder is locked any more", (end) => {
  const host = new Simulation(1).host("a");
  const lock = host.files.lockFolder("/");
  host[end]();
  const next = host.files.lockFolder("/");
  // Of an earlier life: it must not take the lock of this one.
  lock.release();
  expect(() => host.files.lockFolder("/")).toThrow("EBUSY");
  next.release();
});

test("each of two disks has what lies in its folder, room of its own, and loses what was not synced on it", () => {
  const host = new Simulation(1).host("a");
  const other = host.mount("/store");
  other.faults.capacityBytes = 0;
  const bytes = Buffer.alloc(4096, 1);
  const write = (path: string): void => {
    const handle = host.files.create(path);
    handle.writeNow(bytes, 0, bytes.length, 0);
    handle.close();
  };
  write("/here");
  expect(() => write("/store/there")).toThrow("ENOSPC");
  expect([host.files.list("/"), host.files.list("/store")]).toEqual([["here"], ["there"]]);
  expect([host.disk.spaceBytes, other.spaceBytes]).toEqual([4096, 0]);
  const life = other.life;
  host.cutPower();
  expect(other.life).toBe(life + 1);
  expect(host.files.exists("/store")).toBe(true);
});
