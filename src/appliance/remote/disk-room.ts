/** Whether there is room again on a disk that was full. */

import { join } from "node:path";
import { remoteFullProbeBytes } from "#src/core/limits.ts";
import type { Files } from "#src/host/files.ts";
import { unpublishedEnding } from "#src/host/publish.ts";
import { whenDone } from "#src/host/when-done.ts";

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
