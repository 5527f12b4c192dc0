/** What tells one start of this machine from another. */
import { randomUUID } from "node:crypto";
import fs from "node:fs";

/** Where the system does not say, every process is taken for one after a new start: slower, and safe. */
export function readBootId(): string {
  try {
    return fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return randomUUID();
  }
}
