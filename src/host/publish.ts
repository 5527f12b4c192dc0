/**
 * The one way to put a whole file in place: whoever opens `path`, at any time and after any crash, sees the old content
 * or the new one, never a mixture. The order matters: content first, then the name, then the folder that holds it.
 */

import { dirname } from "node:path";
import type { Files } from "./files.ts";
import { whenDone } from "./when-done.ts";

/** A file of this ending was never published and may be removed. */
export const unpublishedEnding = ".unpublished";

/**
 * Resolves when the file is durable. After an error the old content is still there, unless the error came from the last
 * step, the folder's sync: then either may be found after a crash. One at a time per path.
 */
export async function publish(files: Files, path: string, bytes: Buffer): Promise<void> {
  await putInPlace(files, path, bytes);
  await keepName(files, path);
}

/**
 * All but the last step, for those who sync the folder themselves: until then a crash may bring back the old content.
 * After an error the old content is there.
 */
export async function putInPlace(files: Files, path: string, bytes: Buffer): Promise<void> {
  const unpublished = path + unpublishedEnding;
  if (files.exists(unpublished)) files.remove(unpublished);
  try {
    await writeDurably(files, unpublished, bytes);
    files.rename(unpublished, path);
  } catch (error) {
    removeQuietly(files, unpublished);
    throw error;
  }
}

/** A file that was found keeps its name from now on: whoever published it may have been killed before its last step. */
export async function keepName(files: Files, path: string): Promise<void> {
  await whenDone((done) => files.syncFolder(dirname(path), done));
}

async function writeDurably(files: Files, path: string, bytes: Buffer): Promise<void> {
  const handle = files.create(path);
  try {
    handle.writeNow(bytes, 0, bytes.length, 0);
    await whenDone((done) => handle.sync(done));
  } finally {
    handle.close();
  }
}

/** The error that led here is the one to report. */
function removeQuietly(files: Files, path: string): void {
  try {
    files.remove(path);
  } catch {
    // The next publication of the same path removes it first.
  }
}
