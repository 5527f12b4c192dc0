/** What a running process has used so far, as the kernel counts it. All threads together. */
import { readFile } from "node:fs/promises";

export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  /** The most that was ever resident. */
  readonly memoryPeakBytes: number;
}

/** The kernel's unit towards programs, whatever its own timer does. */
const ticksPerSecond = 100;

export async function processUsage(processId: number): Promise<ProcessUsage> {
  const folder = `/proc/${processId}`;
  const [stat, status] = await Promise.all([readFile(`${folder}/stat`, "utf8"), readFile(`${folder}/status`, "utf8")]);
  return {
    cpuSeconds: parseCpuSeconds(stat),
    memoryBytes: parseStatusBytes(status, "VmRSS"),
    memoryPeakBytes: parseStatusBytes(status, "VmHWM"),
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
