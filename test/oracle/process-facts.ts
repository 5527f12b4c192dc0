/** What the system knows of a process. */
import { readdirSync, readFileSync } from "node:fs";

export function residentBytes(processId: number, which: "now" | "most"): number {
  const status = readFileSync(`/proc/${processId}/status`, "utf8");
  const name = which === "now" ? "VmRSS" : "VmHWM";
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
}

export function descriptorCount(processId: number): number {
  return readdirSync(`/proc/${processId}/fd`).length;
}

/** All of its threads were stopped by a signal, or have ended. */
export function isStopped(processId: number): boolean {
  const threads = `/proc/${processId}/task`;
  return readdirSync(threads).every((thread) => /^[TtZX]/.test(stateOf(`${threads}/${thread}/stat`)));
}

/** A letter, or that of the dead for a thread that has just ended. */
function stateOf(path: string): string {
  try {
    const stat = readFileSync(path, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2);
  } catch {
    return "X";
  }
}
