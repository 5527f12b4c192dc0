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
