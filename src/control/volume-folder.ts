/** Where the interceptor keeps what it must know of a volume. */
import { dirname, join } from "node:path";
import type { Files } from "#src/host/files.ts";
import { keepName } from "#src/host/publish.ts";
import type { Config } from "./config-schema.ts";
import { openedVolumesFolder } from "./folder-layout.ts";

export function volumeFolder(config: Config, id: string): string {
  return join(openedVolumesFolder(config), id);
}

/** Resolves when it is there durably. */
export async function makeVolumeFolder(files: Files, config: Config, id: string): Promise<string> {
  const folder = beginVolumeFolder(files, config, id);
  await keepVolumeFolder(files, folder);
  return folder;
}

/** A loss of power may undo it until it is kept. */
export function beginVolumeFolder(files: Files, config: Config, id: string): string {
  const folder = volumeFolder(config, id);
  files.makeFolder(dirname(folder));
  files.makeFolder(folder);
  return folder;
}

/** Also where it was found: whoever made it may have been killed before this. */
export async function keepVolumeFolder(files: Files, folder: string): Promise<void> {
  await keepName(files, dirname(folder));
  await keepName(files, folder);
}
