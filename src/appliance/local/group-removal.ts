/** The end of a group at this side: who still needs it, and how its files go. What the remote appliance has of it stays. */
import { dirname, join } from "node:path";
import { isOwnFault } from "#src/core/assert.ts";
import { RefuseError, RetryError } from "#src/core/errors.ts";
import type { Files } from "#src/host/files.ts";
import type { Machine } from "#src/host/machine.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { LocalGroup } from "./local-group.ts";
import { isSpoolFolder } from "./spool-place.ts";

/** Throws where somebody does. `isAbandoned`: its volumes were removed, whatever their sources may lack. */
export function refuseNeeded(group: LocalGroup, isAbandoned: boolean): void {
  const { name, lastSeq, durable, linkUp } = group.figures();
  if (group.volumes.isInUse) throw new RefuseError(`group '${name}' is in use: a volume of it is attached`);
  if (durable < lastSeq) {
    const count = lastSeq - durable === 1 ? "a record" : `${lastSeq - durable} records`;
    const link = linkUp ? "" : ", to which there is no link";
    throw new RetryError(`group '${name}' has ${count} for the remote appliance${link}: wait for that`);
  }
  if (!isAbandoned && group.volumes.releasableSeq(lastSeq) < lastSeq) {
    throw new RefuseError(
      `group '${name}' has records that a source may lack: its interceptor must be started once more, or, where that is lost, ` +
        "its volumes be forgotten ('tidemark group forget --help')",
    );
  }
}

/**
 * The state gets another name first: a group without one is none, and what lies beside that name may go, now or at the
 * next start. Folders that are empty are left.
 */
export async function removeGroupFiles(files: Files, folder: string, spoolFolder: string): Promise<void> {
  // What is elsewhere would not be found any more.
  if (dirname(spoolFolder) !== folder) await removeSpool(files, spoolFolder);
  files.rename(join(folder, "group.json"), join(folder, removedName));
  await whenDone((done) => files.syncFolder(folder, done));
  await finishRemoval(files, folder);
}

/** What an earlier program has begun. Where it cannot be done, the next start tries again: it is no group any more. */
export async function finishLateRemoval({ files, log }: Pick<Machine, "files" | "log">, folder: string): Promise<void> {
  if (!files.exists(join(folder, removedName))) return;
  try {
    await finishRemoval(files, folder);
  } catch (error) {
    if (isOwnFault(error)) throw error;
    log.warn("what is left of a group that was removed cannot be removed: the next start tries again", {
      folder,
      error,
    });
  }
}

async function finishRemoval(files: Files, folder: string): Promise<void> {
  for (const name of files.list(folder)) if (isSpoolFolder(name)) await removeSpool(files, join(folder, name));
  files.remove(join(folder, removedName));
  await whenDone((done) => files.syncFolder(folder, done));
}

async function removeSpool(files: Files, spool: string): Promise<void> {
  if (!files.exists(spool)) return;
  for (const name of files.list(spool)) files.remove(join(spool, name));
  await whenDone((done) => files.syncFolder(spool, done));
}

const removedName = "group.removed";
