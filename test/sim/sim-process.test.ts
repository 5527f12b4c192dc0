import { expect, test } from "vitest";
import type { SimHost } from "./sim-host.ts";
import { SimProcess } from "./sim-process.ts";
import { Simulation } from "./simulation.ts";

const never = Number.POSITIVE_INFINITY;

function worldOf(callsBefore: number) {
  const simulation = new Simulation(1);
  const host = simulation.host("a");
  let endCount = 0;
  const process = new SimProcess(host, callsBefore, () => endCount++);
  return { simulation, host, process, endCount: () => endCount };
}

function files(host: SimHost): string[] {
  return host.files.list("/");
}

test("a process ends at one of its calls, and nothing of it goes on; its host does", () => {
  const { simulation, host, process, endCount } = worldOf(2);
  const heard: string[] = [];
  process.clock.timer(10, () => heard.push("the process's timer"));
  host.clock.timer(10, () => heard.push("the host's timer"));
  process.files.create("/one").close();
  process.files.syncFolder("/", () => heard.push("the process's sync"));
  expect(() => process.files.create("/two")).toThrow("the process is dead");
  expect([process.isOver, endCount(), files(host)]).toEqual([true, 1, ["one"]]);
  expect(() => process.files.list("/")).toThrow("the process is dead");
  process.clock.soon(() => heard.push("what it began in the moment of its end"));
  simulation.clock.runUntilIdle();
  expect(heard).toEqual(["the host's timer"]);
});

test("what a process that was ended held is free: locks, and the room of files without a name", () => {
  const { host, process, endCount } = worldOf(never);
  process.files.lockFolder("/");
  const handle = process.files.create("/one");
  handle.writeNow(Buffer.alloc(4096, 1), 0, 4096, 0);
  process.files.remove("/one");
  expect(() => host.files.lockFolder("/")).toThrow("EBUSY");
  expect(host.disk.spaceBytes).toBe(4096);
  process.end();
  process.end();
  host.files.lockFolder("/").release();
  expect([host.disk.spaceBytes, endCount()]).toEqual([0, 1]);
});

test("what a process let go of itself is not let go of again at its end", () => {
  const { host, process } = worldOf(never);
  process.files.lockFolder("/").release();
  process.files.create("/one").close();
  const lock = host.files.lockFolder("/");
  process.end();
  expect(() => host.files.lockFolder("/")).toThrow("EBUSY");
  lock.release();
});
