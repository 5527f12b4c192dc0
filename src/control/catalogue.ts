/** Which volumes there are, durably; and which there were, as long as the local appliance has not heard that they were removed. */
import { RefuseError, StopError } from "#src/core/errors.ts";
import { catalogueVolumesMax } from "#src/core/limits.ts";
import { type DocumentKind, publishDocument, readDocument } from "#src/host/document.ts";
import type { Files } from "#src/host/files.ts";
import { isName } from "./name.ts";
import type { VolumeDefinition } from "./role.ts";

const kind: DocumentKind = { format: "tidemark-volumes", version: 1 };

export class Catalogue {
  readonly #files: Files;
  readonly #path: string;
  readonly #volumes: Map<string, VolumeDefinition>;
  /** By their ids. Undefined: a program has written it that did not tell any appliance. */
  #removed: Set<string> | undefined;
  #published: Promise<void> = Promise.resolve();

  private constructor(
    files: Files,
    path: string,
    volumes: readonly VolumeDefinition[],
    removed: readonly string[] | undefined,
  ) {
    this.#files = files;
    this.#path = path;
    this.#removed = removed === undefined ? undefined : new Set(removed);
    // Those that were added before this was noted may have had anything.
    this.#volumes = new Map(
      volumes.map((volume) => [volume.name, { ...volume, baseMissing: volume.baseMissing ?? true }]),
    );
  }

  /** Throws where the file is damaged: going on without its volumes would leave them unprotected, and not say so. */
  static open(files: Files, path: string): Catalogue {
    const content = readDocument(files, path, kind);
    if (content === undefined) return new Catalogue(files, path, [], []);
    const { volumes, removed } = content;
    if (!Array.isArray(volumes) || !volumes.every(isDefinition)) {
      throw new StopError(`${path} is damaged: it does not say which volumes there are`);
    }
    if (new Set(volumes.map((volume) => volume.name)).size < volumes.length) {
      throw new StopError(`${path} is damaged: it names a volume twice`);
    }
    if (removed !== undefined && !(Array.isArray(removed) && removed.every(isVolumeId))) {
      throw new StopError(`${path} is damaged: it does not say which volumes were removed`);
    }
    return new Catalogue(files, path, volumes, removed);
  }

  list(): readonly VolumeDefinition[] {
    return [...this.#volumes.values()];
  }

  find(name: string): VolumeDefinition | undefined {
    return this.#volumes.get(name);
  }

  /** Resolves when it is durable. */
  async add(volume: VolumeDefinition): Promise<void> {
    if (this.#volumes.size >= catalogueVolumesMax) {
      throw new RefuseError(`there are ${catalogueVolumesMax} volumes already, and no more are possible`);
    }
    this.#volumes.set(volume.name, volume);
    try {
      await this.#publish();
    } catch (error) {
      this.#volumes.delete(volume.name);
      throw error;
    }
  }

  /** Holds at once; resolves when it is durable. After a failure it is durable with the next change. */
  async replace(volume: VolumeDefinition): Promise<void> {
    this.#volumes.set(volume.name, volume);
    this.#removed?.delete(volume.id);
    await this.#publish();
  }

  /** It is one that was removed until `forgotten`. */
  async remove(name: string): Promise<void> {
    const volume = this.#volumes.get(name);
    this.#volumes.delete(name);
    if (volume !== undefined) this.#removed?.add(volume.id);
    await this.#publish();
  }

  /** The local appliance has not heard of it yet, as far as is known here. */
  get removed(): readonly string[] {
    return [...(this.#removed ?? [])];
  }

  /** The local appliance has taken note that it was removed. */
  async forgotten(id: string): Promise<void> {
    this.#removed?.delete(id);
    await this.#publish();
  }

  /** `everOpened`: of what was ever opened here, where what is not there any more was removed without telling anybody. */
  async noteEarlierRemovals(everOpened: () => readonly string[]): Promise<void> {
    if (this.#removed !== undefined) return;
    const ids = new Set(this.list().map(({ id }) => id));
    this.#removed = new Set(everOpened().filter((id) => isVolumeId(id) && !ids.has(id)));
    await this.#publish();
  }

  /** One after the other; each holds all that was changed when its turn comes. */
  #publish(): Promise<void> {
    const published = this.#published.then(() =>
      publishDocument(this.#files, this.#path, kind, {
        volumes: this.list(),
        ...(this.#removed === undefined ? {} : { removed: this.removed }),
      }),
    );
    // Whoever waits for this one hears of its failure; those after it try for themselves.
    this.#published = published.catch(() => {});
    return published;
  }
}

function isDefinition(value: unknown): value is VolumeDefinition {
  if (typeof value !== "object" || value === null) return false;
  const { id, name, group, source, sizeBytes, baseMissing, resizeTo, previousBytes, ofView } = value as Record<
    string,
    unknown
  >;
  return (
    isVolumeId(id) &&
    [name, group].every((one) => typeof one === "string" && isName(one)) &&
    typeof source === "string" &&
    isSize(sizeBytes) &&
    [resizeTo, previousBytes].every((one) => one === undefined || isSize(one)) &&
    (baseMissing === undefined || typeof baseMissing === "boolean") &&
    (ofView === undefined || isOrigin(ofView))
  );
}

function isVolumeId(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{32}$/.test(value);
}

function isOrigin(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { name, opened } = value as Record<string, unknown>;
  return typeof name === "string" && isName(name) && typeof opened === "string";
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
