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
