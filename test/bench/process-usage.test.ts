import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import {
  descendantsOf,
  parseCpuSeconds,
  parseParent,
  parseStatusBytes,
  parseWrittenBytes,
  processUsage,
  totalUsage,
} from "./process-usage.ts";

test("processor time is that in user mode and in the kernel, also of those who were started and have ended", () => {
  const stat = "41 (node) S 1 41 41 0 -1 4194304 900 0 0 0 150 75 40 10 20 0 11 0 5000 1000000 2000";
  expect(parseCpuSeconds(stat)).toBe(2.75);
  expect(parseParent(stat)).toBe(1);
});

test("a program's name with brackets and spaces shifts nothing", () => {
  const stat = "41 (a) b (c) S 1 41 41 0 -1 4194304 900 0 0 0 100 100 0 0 20 0 11 0 5000 1000000 2000";
  expect(parseCpuSeconds(stat)).toBe(2);
});

test("a line without numbers is refused", () => {
  expect(() => parseCpuSeconds("41 (node) Z")).toThrow("no processor time");
});

test("memory is told in bytes", () => {
  const status = "Name:\tnode\nVmPeak:\t  900 kB\nVmHWM:\t   64 kB\nVmRSS:\t   32 kB\n";
  expect(parseStatusBytes(status, "VmHWM")).toBe(65_536);
  expect(() => parseStatusBytes("Name:\tnode\nState:\tZ (zombie)\n", "VmHWM")).toThrow("may have ended");
});

test("the kernel tells of a process that lives", async () => {
  const usage = await processUsage(process.pid);
  expect(usage.cpuSeconds).toBeGreaterThan(0);
  expect(usage.memoryPeakBytes).toBeGreaterThanOrEqual(usage.memoryBytes);
});

test("what was written is told without what was thrown away before", () => {
  const io = "rchar: 1\nwchar: 9000\nread_bytes: 0\nwrite_bytes: 12288\ncancelled_write_bytes: 4096\n";
  expect(parseWrittenBytes(io)).toBe(8192);
  expect(() => parseWrittenBytes("")).toThrow("no written bytes");
});

test("several processes are counted together", async () => {
  const [one, two] = await Promise.all([processUsage(process.pid), totalUsage([process.pid, process.ppid])]);
  expect(one.anonymousBytes).toBeGreaterThan(0);
  expect(two.memoryPeakBytes).toBeGreaterThan(one.memoryPeakBytes);
});

test("who was started by somebody who was started counts too", () => {
  const parentOf = new Map([
    [1, 0],
    [10, 1],
    [11, 10],
    [12, 11],
    [20, 1],
  ]);
  expect(descendantsOf(parentOf, [10])).toEqual([11, 12]);
  expect(descendantsOf(parentOf, [12])).toEqual([]);
  expect(descendantsOf(parentOf, [10, 12])).toEqual([11]);
});

test("what a process has started is counted with it", async () => {
  using child = startedChild();
  await child.running;
  const [alone, together] = await Promise.all([processUsage(process.pid), totalUsage([process.pid])]);
  expect(together.memoryPeakBytes - alone.memoryPeakBytes).toBeGreaterThan(1_000_000);
});

/** What was only just started has no memory of its own yet: it runs when it has answered. */
function startedChild() {
  const child = spawn("cat");
  child.stdin.write("said again");
  return { running: once(child.stdout, "data"), [Symbol.dispose]: () => void child.kill() };
}
