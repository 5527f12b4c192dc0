/** Where the interceptor keeps what it must know of a volume. */
import { join } from "node:path";
import type { Files } from "#src/host/files.ts";
import { keepName } from "#src/host/publish.ts";
import type { Config } from "./config-schema.ts";
import { openedVolumesFolder } from "./folder-layout.ts";

export function volumeFolder(config: Config, id: string): string {
  return join(openedVolumesFolder(config), id);
}

/** Resolves when it is there durably. */
export async function makeVolumeFolder(files: Files, config: Config, id: string): Promise<string> {
  const parent = openedVolumesFolder(config);
  const folder = volumeFolder(config, id);
  files.makeFolder(parent);
  files.makeFolder(folder);
  // Also where they were found: whoever made them may have been killed before this.
  await keepName(files, parent);
  await keepName(files, folder);
  return folder;
}
