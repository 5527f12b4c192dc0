/** The folders of the roles, each for one process alone. */
import { dirname } from "node:path";
import { StopError } from "#src/core/errors.ts";
import type { Files, FolderLock } from "#src/host/files.ts";
import { keepName } from "#src/host/publish.ts";
import { systemReason } from "#src/host/system-words.ts";
import type { Config } from "./config-schema.ts";
import { roleFolder } from "./folder-layout.ts";
import type { RoleName } from "./role.ts";

/** Makes what is missing, except for what holds the data folder. Throws if another process has one of them. */
export async function takeFolders(files: Files, config: Config, roles: readonly RoleName[]): Promise<FolderLock[]> {
  await makeDurably(files, config.data);
  const locks: FolderLock[] = [];
  try {
    for (const role of roles) {
      const folder = roleFolder(config, role);
      await makeDurably(files, folder);
      await keepName(files, folder);
      locks.push(lock(files, folder));
    }
  } catch (error) {
    for (const taken of locks) taken.release();
    throw error;
  }
  return locks;
}

function lock(files: Files, folder: string): FolderLock {
  try {
    return files.lockFolder(folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "EBUSY") throw error;
    const why = message.replace(/^EBUSY: /, "");
    throw new StopError(`${why}: two would damage each other's data; end it, or choose another folder with --data`, {
      cause: error,
    });
  }
}

async function makeDurably(files: Files, path: string): Promise<void> {
  if (files.exists(path)) return;
  try {
    files.makeFolder(path);
    await keepName(files, path);
  } catch (error) {
    const parent = dirname(path);
    const why = files.exists(parent)
      ? (systemReason(error) ?? (error as Error).message)
      : `there is no folder ${parent}; 'mkdir -p ${parent}' makes it`;
    throw new StopError(`the folder ${path} cannot be made: ${why}`, { cause: error });
  }
}
