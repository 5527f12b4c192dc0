/** Whether an error means that there is no room at the moment, and whether there is some again. */

import { join } from "node:path";
import { remoteFullProbeBytes } from "#src/core/limits.ts";
import type { Files } from "#src/host/files.ts";
import { unpublishedEnding } from "#src/host/publish.ts";
import { whenDone } from "#src/host/when-done.ts";

/** Of the disk, or of open files. Nothing is lost by it, and it may pass. */
const codes = new Set(["ENOSPC", "EDQUOT", "EMFILE", "ENFILE"]);

export function isLackOfRoom(error: unknown): boolean {
  return codes.has((error as NodeJS.ErrnoException).code ?? "");
}

/** Rejects with the error that says that there is none. */
export async function probeRoom(files: Files, folder: string): Promise<void> {
  const path = join(folder, `room${unpublishedEnding}`);
  if (files.exists(path)) files.remove(path);
  const handle = files.create(path);
  try {
    handle.writeNow(Buffer.alloc(remoteFullProbeBytes, 1), 0, remoteFullProbeBytes, 0);
    await whenDone((done) => handle.sync(done));
  } finally {
    handle.close();
    files.remove(path);
  }
}
