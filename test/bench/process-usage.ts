/** What running processes have used so far, as the kernel counts it: all threads, and those that they started, together. */
import { readdir, readFile } from "node:fs/promises";

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

/** All processes of one contender together, with those that they have started. */
export async function totalUsage(processIds: readonly number[]): Promise<ProcessUsage> {
  const started = descendantsOf(await parentIds(), processIds);
  const usages = await Promise.all([...processIds.map(processUsage), ...started.map(usageWhileThere)]);
  const sum = (pick: (usage: ProcessUsage) => number) => usages.reduce((total, usage) => total + pick(usage), 0);
  return {
    cpuSeconds: sum((usage) => usage.cpuSeconds),
    memoryBytes: sum((usage) => usage.memoryBytes),
    memoryPeakBytes: sum((usage) => usage.memoryPeakBytes),
    anonymousBytes: sum((usage) => usage.anonymousBytes),
    writtenBytes: sum((usage) => usage.writtenBytes),
  };
}

/** Whose parent is whose: of all processes that there are. */
export async function parentIds(): Promise<Map<number, number>> {
  const ids = (await readdir("/proc")).map(Number).filter(Number.isInteger);
  const pairs = ids.map(async (id) => {
    const stat = await readFile(`/proc/${id}/stat`, "utf8").catch(() => undefined);
    return stat === undefined ? [] : [[id, parseParent(stat)] as const];
  });
  return new Map((await Promise.all(pairs)).flat());
}

/** Without the roots themselves, of which one may have started another. */
export function descendantsOf(parentOf: ReadonlyMap<number, number>, roots: readonly number[]): number[] {
  const all = new Set(roots);
  // Whoever is added has its turn, too.
  for (const one of all) for (const [id, parent] of parentOf) if (parent === one) all.add(id);
  return [...all].filter((id) => !roots.includes(id));
}

/** What one has used that ends meanwhile is its parent's as soon as that knows. */
async function usageWhileThere(processId: number): Promise<ProcessUsage> {
  const nothing = { cpuSeconds: 0, memoryBytes: 0, memoryPeakBytes: 0, anonymousBytes: 0, writtenBytes: 0 };
  return processUsage(processId).catch(() => nothing);
}

export function parseParent(stat: string): number {
  return Number(fieldsOf(stat)[1]);
}

/** The program's name stands in brackets before the numbers and may hold anything. */
function fieldsOf(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** In user and kernel mode, its own and that of those it started that have ended. */
export function parseCpuSeconds(stat: string): number {
  const ticks = fieldsOf(stat).slice(11, 15).map(Number);
  const seconds = ticks.length < 4 ? Number.NaN : ticks.reduce((sum, one) => sum + one, 0) / ticksPerSecond;
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
