/**
 * The host of a virtual machine may take back memory that the machine does not use. Who uses it next pays for that, ten
 * times and more what new memory costs otherwise, and it is always who keeps more than was there before. So a turn begins
 * with memory that was in use a moment ago.
 */
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createScratch } from "./scratch.ts";

const MiB = 1024 ** 2;
const bytesDefault = 3 * 1024 * MiB;
/** Of what is available, at most. */
const shareDefault = 1 / 4;
const shareMax = 3 / 4;

/** As much as a turn will use, where more than usual. */
export async function warmMemory(neededBytes?: number): Promise<void> {
  using scratch = createScratch("/dev/shm");
  const path = scratch.file("memory");
  const share = neededBytes === undefined ? shareDefault : shareMax;
  const bytes = Math.min(neededBytes ?? bytesDefault, (await availableBytes()) * share);
  const piece = Buffer.alloc(MiB, 1);
  const descriptor = openSync(path, "w");
  try {
    for (let written = 0; written < bytes; written += MiB) writeSync(descriptor, piece);
  } finally {
    closeSync(descriptor);
    unlinkSync(path);
  }
}

/** Memory that can be had without taking it from anybody. */
export async function availableBytes(): Promise<number> {
  const available = /^MemAvailable: +(\d+) kB$/m.exec(await readFile("/proc/meminfo", "utf8"));
  return Number(available?.[1] ?? 0) * 1024;
}
