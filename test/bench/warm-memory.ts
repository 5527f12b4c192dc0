/**
 * The host of a virtual machine may take back memory that the machine does not use. Who uses it next pays for that, ten
 * times and more what new memory costs otherwise, and it is always who keeps more than was there before. So a turn begins
 * with memory that was in use a moment ago.
 */
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createScratch } from "./scratch.ts";

const MiB = 1024 ** 2;
const bytesMax = 3 * 1024 * MiB;
/** Of what is available. */
const share = 1 / 4;

export async function warmMemory(): Promise<void> {
  using scratch = createScratch("/dev/shm");
  const path = scratch.file("memory");
  const bytes = Math.min(bytesMax, (await availableBytes()) * share);
  const piece = Buffer.alloc(MiB, 1);
  const descriptor = openSync(path, "w");
  try {
    for (let written = 0; written < bytes; written += MiB) writeSync(descriptor, piece);
  } finally {
    closeSync(descriptor);
    unlinkSync(path);
  }
}

async function availableBytes(): Promise<number> {
  const available = /^MemAvailable: +(\d+) kB$/m.exec(await readFile("/proc/meminfo", "utf8"));
  return Number(available?.[1] ?? 0) * 1024;
}
