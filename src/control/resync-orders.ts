/**
 * Resyncs that were ordered while their volumes could not take them, being opened: each is a file in its volume's folder. It
 * is there from the order on, and gone, durably, before a host may write to the volume: one that came back later would have
 * the source taken as it is, whatever it then lacks of what hosts were promised.
 */
import { join } from "node:path";
import { RefuseError } from "#src/core/errors.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { keepName } from "#src/host/publish.ts";
import { inWords } from "#src/host/system-words.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { Config } from "./config-schema.ts";
import type { VolumeDefinition } from "./role.ts";
import { beginVolumeFolder, keepVolumeFolder, volumeFolder } from "./volume-folder.ts";

export class ResyncOrders {
  readonly #files: Files;
  readonly #config: Config;
  /** The volumes of which one was given since their last opening began: that may have copied what has changed by now. */
  readonly #since = new Set<string>();

  constructor(files: Files, config: Config) {
    this.#files = files;
    this.#config = config;
  }

  isGiven(id: string): boolean {
    return this.#files.exists(this.#pathOf(id));
  }

  /** A volume's opening begins. Answers whether it is to carry out what is given; what comes from now on is not for it. */
  begin(id: string): boolean {
    this.#since.delete(id);
    return this.isGiven(id);
  }

  /**
   * It stands before anything is waited for, so that an opening that is under way sees it. Resolves when it is durable, or was carried
   * out meanwhile. What has failed half-way stands until the next opening.
   */
  async give({ id, name }: VolumeDefinition): Promise<void> {
    const path = this.#pathOf(id);
    try {
      const folder = beginVolumeFolder(this.#files, this.#config, id);
      const handle = this.#files.exists(path) ? undefined : this.#files.create(path);
      this.#since.add(id);
      // From here on it may be carried out at any time: a file that was made later would outlive that.
      if (handle !== undefined) await synced(handle);
      await keepVolumeFolder(this.#files, folder);
      await keepName(this.#files, path);
    } catch (error) {
      const message = `the resync of volume '${name}' could not be noted durably: ${inWords(error)}`;
      throw new RefuseError(message, { cause: error });
    }
  }

  /**
   * The opening that took it has ended well. Resolves when the next start does not find it, but for one that was given since. Where
   * this ends half-way, the next opening makes the removal last: it syncs this folder, where its region map lies.
   */
  async carriedOut(id: string): Promise<void> {
    if (this.#since.has(id)) return;
    const path = this.#pathOf(id);
    this.#files.remove(path);
    await keepName(this.#files, path);
  }

  #pathOf(id: string): string {
    return join(volumeFolder(this.#config, id), "resync-ordered");
  }
}

async function synced(handle: FileHandle): Promise<void> {
  try {
    await whenDone((done) => handle.sync(done));
  } finally {
    handle.close();
  }
}
