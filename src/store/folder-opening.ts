/** Takes a folder for objects: for one process alone, without what unfinished writers left, every name in it durable. */
import { dirname, join } from "node:path";
import { StopError } from "#src/core/errors.ts";
import type { Files, FolderLock } from "#src/host/files.ts";
import { keepName, unpublishedEnding } from "#src/host/publish.ts";
import { objectError } from "./object-error.ts";
import { isNamePart } from "./object-name.ts";
import { afterFailedSync } from "./unknown-names-error.ts";

export interface OpenedFolder {
  readonly lock: FolderLock;
  /** The folder and all folders of objects in it. */
  readonly folders: readonly string[];
}

export async function openFolder(files: Files, root: string): Promise<OpenedFolder> {
  let lock: FolderLock | undefined;
  try {
    await makeDurably(files, root);
    lock = lockOf(files, root);
    const folders: string[] = [];
    await settle(files, root, folders);
    return { lock, folders };
  } catch (error) {
    lock?.release();
    throw objectError(error, `the store's folder ${root} cannot be opened`);
  }
}

async function makeDurably(files: Files, root: string): Promise<void> {
  if (!files.exists(dirname(root))) {
    throw new StopError(`there is no folder ${dirname(root)}; 'mkdir -p ${dirname(root)}' makes it`);
  }
  files.makeFolder(root);
  await keepNameOrTell(files, root);
}

/** The system tells of each failure once, so that the next opening would know nothing of it: whoever hears of it notes it. */
async function keepNameOrTell(files: Files, path: string): Promise<void> {
  try {
    await keepName(files, path);
  } catch (error) {
    throw afterFailedSync(error, dirname(path));
  }
}

function lockOf(files: Files, root: string): FolderLock {
  try {
    return files.lockFolder(root);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "EBUSY") throw error;
    const why = message.replace(/^EBUSY: /, "");
    throw new StopError(`${why}: two would damage each other's objects; end it, or choose another folder`, {
      cause: error,
    });
  }
}

/**
 * Names that are found may be in the machine's memory alone, since whoever gave them may have been killed before the
 * folder was synced; and whoever finds an object relies on it.
 */
async function settle(files: Files, folder: string, folders: string[]): Promise<void> {
  folders.push(folder);
  for (const { name, isFolder } of files.entries(folder)) {
    const path = join(folder, name);
    if (isFolder) {
      if (isNamePart(name)) await settle(files, path, folders);
    } else if (name.endsWith(unpublishedEnding)) {
      files.remove(path);
    }
  }
  await keepNameOrTell(files, join(folder, "any"));
}
