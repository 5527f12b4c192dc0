/**
 * Objects in a folder: each is a file, its name the path.
 *
 * Invariants: an object has its name only when its content is on the disk; it is told to be there only when its name is;
 * a file with a name never changes.
 */
import { dirname, join } from "node:path";
import { RefuseError } from "#src/core/errors.ts";
import { objectListTurnCount } from "#src/core/store-limits.ts";
import type { FolderEntry, FolderLock } from "#src/host/files.ts";
import type { Machine } from "#src/host/machine.ts";
import { unpublishedEnding } from "#src/host/publish.ts";
import { DurableFolders } from "./durable-folders.ts";
import { FolderDocuments } from "./folder-documents.ts";
import { FolderObjectWriter, removeLeftover } from "./folder-object-writer.ts";
import { openFolder } from "./folder-opening.ts";
import { failureWithoutTrace, isAbsence, objectError } from "./object-error.ts";
import { ObjectHandles } from "./object-handles.ts";
import { checkDocumentName, checkObjectName, checkPrefix, isNamePart, isObjectName } from "./object-name.ts";
import {
  AbsentObjectError,
  type ObjectInfo,
  type ObjectName,
  type Objects,
  type ObjectWriter,
  type ReadableObjects,
  type VersionedDocument,
} from "./objects.ts";
import type { SpaceReserve } from "./space-reserve.ts";
import type { UnknownNamesError } from "./unknown-names-error.ts";

type Ports = Pick<Machine, "files" | "clock">;

export class FolderObjects implements Objects {
  readonly #ports: Ports;
  readonly #root: string;
  /** What the path of an object begins with: as `#pathOf` makes it, for less. */
  readonly #rootPrefix: string;
  /** Undefined: somebody else may have it, and write. */
  readonly #lock: FolderLock | undefined;
  readonly #folders: DurableFolders;
  /** Whoever writes may not have made names durable yet, or may have been killed before. */
  readonly #syncsFirst: boolean;
  readonly #documents: FolderDocuments;
  readonly #handles: ObjectHandles;
  /** Objects that have their names, which are not known to be durable. */
  readonly #unsettled = new Set<ObjectName>();
  #writerCount = 0;

  private constructor(
    ports: Ports,
    root: string,
    folders: DurableFolders,
    { lock, syncsFirst }: { readonly lock?: FolderLock; readonly syncsFirst: boolean },
  ) {
    this.#ports = ports;
    this.#root = root;
    this.#syncsFirst = syncsFirst;
    this.#rootPrefix = join(root, "/");
    this.#lock = lock;
    this.#folders = folders;
    this.#documents = new FolderDocuments(ports.files, folders);
    this.#handles = new ObjectHandles(ports.files, ports.clock);
  }

  /** Makes the folder where there is none. Throws a `StopError` if another process has it. */
  static async open(ports: Ports, folder: string): Promise<FolderObjects> {
    const { lock, folders } = await openFolder(ports.files, folder);
    const durable = new DurableFolders(ports.files, folder, folders);
    return new FolderObjects(ports, folder, durable, { lock, syncsFirst: false });
  }

  /**
   * For one who only reads, beside the one who has the folder. It need not be there yet. What this one tells of others rely on, so
   * it syncs folders too; `failed` hears at once where that fails, since nobody else is told any more.
   */
  static openToRead(ports: Ports, folder: string, failed?: (error: UnknownNamesError) => void): FolderObjects {
    const folders = new DurableFolders(ports.files, folder, [dirname(folder)], failed);
    return new FolderObjects(ports, folder, folders, { syncsFirst: true });
  }

  /** For those who show what is there, because of which nothing is removed: they sync nothing, and so meet no failure. */
  static openToShow(ports: Ports, folder: string): ReadableObjects {
    const folders = new DurableFolders(ports.files, folder, [dirname(folder)]);
    return new FolderObjects(ports, folder, folders, { syncsFirst: false });
  }

  create(name: ObjectName, reserve?: SpaceReserve): ObjectWriter {
    return this.#writer(name, reserve, (unpublishedPath) => this.#publish(name, unpublishedPath));
  }

  restore(name: ObjectName): ObjectWriter {
    return this.#writer(name, undefined, (unpublishedPath) => this.#replace(name, unpublishedPath));
  }

  #writer(
    name: ObjectName,
    reserve: SpaceReserve | undefined,
    publish: (unpublishedPath: string) => Promise<void>,
  ): ObjectWriter {
    checkObjectName(name);
    const { files } = this.#ports;
    const path = this.#pathOf(name);
    const unpublishedPath = `${path}.${this.#writerCount++}${unpublishedEnding}`;
    const parts = { files, folders: this.#folders, what: path, unpublishedPath, reserve };
    return new FolderObjectWriter({ ...parts, publish: () => publish(unpublishedPath) });
  }

  async #publish(name: ObjectName, unpublishedPath: string): Promise<void> {
    const path = this.#pathOf(name);
    this.#rename(unpublishedPath, path, () => {
      if (this.#ports.files.exists(path)) throw new RefuseError(`there is an object ${name} already`);
    });
    this.#unsettled.add(name);
    await this.#folders.keepNames(path);
    this.#unsettled.delete(name);
  }

  /** Until the name is durable a loss of power brings the former file back: it was there, and still is what it was. */
  async #replace(name: ObjectName, unpublishedPath: string): Promise<void> {
    const path = this.#pathOfSettled(name);
    this.#rename(unpublishedPath, path, () => {
      if (!this.#ports.files.exists(path)) throw new RefuseError(`there is no object ${name} to be restored`);
    });
    this.#handles.drop(path);
    await this.#folders.keepNames(path);
  }

  #rename(unpublishedPath: string, path: string, check: () => void): void {
    const { files } = this.#ports;
    try {
      this.#folders.assertUsable();
      check();
      files.rename(unpublishedPath, path);
    } catch (error) {
      removeLeftover(files, unpublishedPath);
      throw failureWithoutTrace(error, path);
    }
  }

  async read(name: ObjectName, target: Buffer, position: number): Promise<number> {
    const path = this.#pathOfSettled(name);
    try {
      return this.#handles.at(path).readNow(target, 0, target.length, position);
    } catch (error) {
      throw isAbsence(error) ? new AbsentObjectError(name) : objectError(error, path);
    }
  }

  /** Of a file that is open: its name was looked at then. */
  readNow(name: ObjectName, target: Buffer, byteLength: number, position: number): number | undefined {
    const handle = this.#unsettled.has(name) ? undefined : this.#handles.opened(this.#rootPrefix + name);
    try {
      return handle?.readNow(target, 0, byteLength, position);
    } catch {
      return undefined;
    }
  }

  async sizeBytes(name: ObjectName): Promise<number> {
    const path = this.#pathOfSettled(name);
    // Who has the folder relies on the name; who only reads on what he reads, which the writer may have restored since.
    if (this.#lock === undefined) this.#handles.drop(path);
    else this.#folders.assertUsable();
    const sizeBytes = this.#sizeOf(path);
    if (sizeBytes === undefined) throw new AbsentObjectError(name);
    return sizeBytes;
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo, void> {
    checkPrefix(prefix);
    let count = 0;
    for await (const name of this.#names(prefix.slice(0, prefix.lastIndexOf("/") + 1), prefix)) {
      this.#folders.assertUsable();
      const sizeBytes = this.#unsettled.has(name) ? undefined : this.#sizeOf(this.#pathOf(name));
      if (sizeBytes !== undefined) yield { name, sizeBytes };
      if (++count % objectListTurnCount === 0) await this.#turn();
    }
  }

  /** `base`: a folder's name with a `/` behind it, or nothing. */
  async *#names(base: string, prefix: string): AsyncGenerator<ObjectName, void> {
    const entries = this.#entries(base);
    if (this.#syncsFirst && entries.length > 0) await this.#folders.keepNames(this.#pathOf(`${base}any`));
    for (const { name, isFolder } of entries) {
      const ownName = base + name;
      if (isFolder && `${ownName}/`.startsWith(prefix)) yield* this.#names(`${ownName}/`, prefix);
      if (!isFolder && ownName.startsWith(prefix) && isObjectName(ownName)) yield ownName;
    }
  }

  #entries(base: string): FolderEntry[] {
    this.#folders.assertUsable();
    const path = this.#pathOf(base.slice(0, -1));
    try {
      const entries = this.#ports.files.entries(path).filter(({ name }) => isNamePart(name));
      return entries.sort((a, b) => (sortedBy(a) < sortedBy(b) ? -1 : 1));
    } catch (error) {
      if (isAbsence(error)) return [];
      throw objectError(error, path);
    }
  }

  #sizeOf(path: string): number | undefined {
    try {
      return this.#ports.files.sizeBytes(path);
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw objectError(error, path);
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#ports.clock.soon(resolve);
    });
  }

  async remove(name: ObjectName): Promise<void> {
    checkObjectName(name);
    this.#folders.assertUsable();
    const path = this.#pathOf(name);
    this.#handles.drop(path);
    try {
      this.#ports.files.remove(path);
    } catch (error) {
      if (isAbsence(error)) return;
      throw objectError(error, path);
    }
    await this.#folders.keepNames(path);
  }

  async readDocument(name: ObjectName): Promise<VersionedDocument | undefined> {
    checkDocumentName(name);
    return await this.#documents.read(this.#pathOf(name));
  }

  async changeDocument(name: ObjectName, bytes: Buffer, version: string | undefined): Promise<string | undefined> {
    checkDocumentName(name);
    return await this.#documents.change(this.#pathOf(name), bytes, version);
  }

  /** Rejects if a sync that was begun here before has failed: somebody else's may then have been told nothing. */
  async assertNamesKnown(): Promise<void> {
    await this.#folders.settled();
  }

  /** Somebody says that what the system shows is what the disk has. */
  trustNames(): void {
    this.#folders.trust();
  }

  async close(): Promise<void> {
    this.#folders.close();
    this.#handles.closeAll();
    this.#lock?.release();
  }

  #pathOf(name: ObjectName): string {
    return join(this.#root, name);
  }

  #pathOfSettled(name: ObjectName): string {
    checkObjectName(name);
    this.#folders.assertOpen();
    if (this.#unsettled.has(name)) throw new AbsentObjectError(name);
    return this.#pathOf(name);
  }
}

/** What is in a folder has names that go on with a `/`. */
function sortedBy({ name, isFolder }: FolderEntry): string {
  return isFolder ? `${name}/` : name;
}
