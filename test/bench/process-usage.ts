/** What a running process has used so far, as the kernel counts it. All threads together. */
import { readFile } from "node:fs/promises";

export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  /** The most that was ever resident. */
  readonly memoryPeakBytes: number;
  /** Resident and of no file: what the kernel cannot take back without swapping. */
  readonly anonymousBytes: number;
  /** What it gave file systems on a disk to write, when it gave it and not when that is done. */
  readonly writtenBytes: number;
}

/** The kernel's unit towards programs, whatever its own timer does. */
const ticksPerSecond = 100;

export async function processUsage(processId: number): Promise<ProcessUsage> {
  const folder = `/proc/${processId}`;
  const read = (name: string) => readFile(`${folder}/${name}`, "utf8");
  const [stat, status, io] = await Promise.all([read("stat"), read("status"), read("io")]);
  return {
    cpuSeconds: parseCpuSeconds(stat),
    memoryBytes: parseStatusBytes(status, "VmRSS"),
    memoryPeakBytes: parseStatusBytes(status, "VmHWM"),
    anonymousBytes: parseStatusBytes(status, "RssAnon"),
    writtenBytes: parseWrittenBytes(io),
  };
}

/** All processes of one contender together. */
export async function totalUsage(processIds: readonly number[]): Promise<ProcessUsage> {
  const usages = await Promise.all(processIds.map(processUsage));
  const sum = (pick: (usage: ProcessUsage) => number) => usages.reduce((total, usage) => total + pick(usage), 0);
  return {
    cpuSeconds: sum((usage) => usage.cpuSeconds),
    memoryBytes: sum((usage) => usage.memoryBytes),
    memoryPeakBytes: sum((usage) => usage.memoryPeakBytes),
    anonymousBytes: sum((usage) => usage.anonymousBytes),
    writtenBytes: sum((usage) => usage.writtenBytes),
  };
}

/** In user and kernel mode. The program's name stands in brackets before the numbers and may hold anything. */
export function parseCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const seconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  if (!Number.isFinite(seconds)) throw new Error(`no processor time in '${stat}'`);
  return seconds;
}

export function parseStatusBytes(status: string, name: string): number {
  const match = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(status);
  if (match === null) throw new Error(`the process has no ${name}; it may have ended`);
  return Number(match[1]) * 1024;
}

/** Without what was thrown away with its file before it came to the disk. */
export function parseWrittenBytes(io: string): number {
  const match = /^write_bytes: (\d+)\ncancelled_write_bytes: (\d+)$/m.exec(io);
  if (match === null) throw new Error(`no written bytes in '${io}'`);
  return Number(match[1]) - Number(match[2]);
}
