/** Brings the kernel's cache of a file into a known state between two turns. */
import { open, writeFile } from "node:fs/promises";
import { succeed } from "#test/clients/command.ts";

/** So that nobody pays for what another has written. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Every cache of the machine where that is allowed, and otherwise at least what is cached of this file. */
export async function dropCaches(path: string): Promise<void> {
  await syncFile(path);
  try {
    await writeFile("/proc/sys/vm/drop_caches", "3\n");
  } catch {
    await succeed("dd", [`if=${path}`, "iflag=nocache", "count=0"]);
  }
}
