/**
 * Resyncs that were ordered while their volumes could not take them, being opened: each is a file in its volume's folder. It
 * is there from the order on, and gone, durably, before a host may write to the volume: one that came back later would have
 * the source taken as it is, whatever it then lacks of what hosts were promised.
 */
import { join } from "node:path";
import { RefuseError } from "#src/core/errors.ts";
import type { Files } from "#src/host/files.ts";
import { keepName } from "#src/host/publish.ts";
import { inWords } from "#src/host/system-words.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { Config } from "./config-schema.ts";
import type { VolumeDefinition } from "./role.ts";
import { makeVolumeFolder, volumeFolder } from "./volume-folder.ts";

export class ResyncOrders {
  readonly #files: Files;
  readonly #config: Config;

  constructor(files: Files, config: Config) {
    this.#files = files;
    this.#config = config;
  }

  isGiven(id: string): boolean {
    return this.#files.exists(this.#pathOf(id));
  }

  /** Resolves when it is durable, or was carried out meanwhile. What has failed half-way stands until the next start. */
  async give({ id, name }: VolumeDefinition): Promise<void> {
    const path = this.#pathOf(id);
    try {
      await makeVolumeFolder(this.#files, this.#config, id);
      if (!this.#files.exists(path)) await this.#make(path);
      await keepName(this.#files, path);
    } catch (error) {
      const message = `the resync of volume '${name}' could not be noted durably: ${inWords(error)}`;
      throw new RefuseError(message, { cause: error });
    }
  }

  async #make(path: string): Promise<void> {
    const handle = this.#files.create(path);
    try {
      await whenDone((done) => handle.sync(done));
    } finally {
      handle.close();
    }
  }

  /** Resolves when the next start does not find it. */
  async carriedOut(id: string): Promise<void> {
    const path = this.#pathOf(id);
    this.#files.remove(path);
    await keepName(this.#files, path);
  }

  #pathOf(id: string): string {
    return join(volumeFolder(this.#config, id), "resync-ordered");
  }
}
