/**
 * The folder of an index: its file, and what is known of it without opening it. A damaged file may end the process that
 * has it open. So each opening is noted before it is tried, and called off when the index was closed or has done some work:
 * a file that was opened several times in a row and never got so far is set aside. What a start of the machine has put an
 * end to is not counted.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { indexAsideCountMax, indexOpeningCountMax } from "#src/core/store-limits.ts";
import { publishDocument, readDocument } from "#src/host/document.ts";
import type { Files, FolderLock } from "#src/host/files.ts";
import type { Log } from "#src/host/log.ts";
import type { SortedMaps } from "#src/host/sorted-map.ts";
import { whenDone } from "#src/host/when-done.ts";

export interface IndexFolderParts {
  readonly files: Files;
  readonly maps: SortedMaps;
  readonly log: Log;
  /** Of the index alone. It is there. */
  readonly folder: string;
  readonly bootId: string;
}

const fileName = "fingerprints.map";
const filterName = "fingerprints.filter";
const openingsName = "openings.json";
const asideEnding = ".aside-";
const openingsKind = { format: "tidemark-index-openings", version: 1 };

export class IndexFolder {
  readonly #parts: IndexFolderParts;
  readonly #lock: FolderLock;
  #isProven = false;

  private constructor(parts: IndexFolderParts, lock: FolderLock) {
    this.#parts = parts;
    this.#lock = lock;
  }

  /** EBUSY: another process has it open. */
  static async open(parts: IndexFolderParts): Promise<IndexFolder> {
    const folder = new IndexFolder(parts, parts.files.lockFolder(parts.folder));
    try {
      await folder.#countOpening();
    } catch (error) {
      folder.#lock.release();
      throw error;
    }
    return folder;
  }

  get filePath(): string {
    return `${this.#parts.folder}/${fileName}`;
  }

  get filterPath(): string {
    return `${this.#parts.folder}/${filterName}`;
  }

  /** The file, which nobody has open, makes room for a new one. Of those set aside before, the oldest go. */
  async setAside(): Promise<void> {
    const { files, maps, folder } = this.#parts;
    const found = files
      .list(folder)
      .map((name) => ({ name, number: asideNumber(name) }))
      .filter(({ number }) => number > 0)
      .sort((a, b) => a.number - b.number);
    const tooMany = Math.max(0, found.length + 1 - indexAsideCountMax);
    for (const { name } of found.slice(0, tooMany)) maps.remove(`${folder}/${name}`);
    const number = (found.at(-1)?.number ?? 0) + 1;
    if (files.exists(this.filePath)) maps.rename(this.filePath, this.filePath + asideEnding + number);
    await this.keepNames();
  }

  /** Which files there are is durable: one that was set aside must not come back, nor a new one be lost. */
  async keepNames(): Promise<void> {
    await whenDone((done) => this.#parts.files.syncFolder(this.#parts.folder, done));
  }

  /** The file has stood some work. */
  async prove(): Promise<void> {
    if (this.#isProven) return;
    await noteOpenings(this.#parts, 0);
    this.#isProven = true;
  }

  async close(): Promise<void> {
    try {
      await this.prove();
    } finally {
      this.#lock.release();
    }
  }

  async #countOpening(): Promise<void> {
    const count = openingsOf(this.#parts);
    if (count < indexOpeningCountMax) return await noteOpenings(this.#parts, count + 1);
    this.#parts.log.warn(
      "the index of fingerprints is set aside: it was opened several times, and each time ended whoever did",
      {
        times: count,
      },
    );
    await this.setAside();
    await noteOpenings(this.#parts, 1);
  }
}

/** Whoever has seen a process die of an index says so here, and the next opening sets it aside. Nobody has it open. */
export async function distrustIndex(parts: IndexFolderParts): Promise<void> {
  await noteOpenings(parts, indexOpeningCountMax);
}

function openingsOf({ files, folder, bootId }: IndexFolderParts): number {
  try {
    const found = readDocument(files, `${folder}/${openingsName}`, openingsKind);
    const count = found?.count;
    return found?.bootId === bootId && typeof count === "number" ? count : 0;
  } catch (error) {
    if (isOwnFault(error)) throw error;
    // It is written anew right away; until then an index that is as bad is noticed when it is opened.
    return 0;
  }
}

async function noteOpenings({ files, folder, bootId, log }: IndexFolderParts, count: number): Promise<void> {
  try {
    await publishDocument(files, `${folder}/${openingsName}`, openingsKind, { count, bootId });
  } catch (error) {
    if (isOwnFault(error)) throw error;
    log.warn("it cannot be noted how often the index of fingerprints was opened", { error });
  }
}

/** 0: the name is of something else. */
function asideNumber(name: string): number {
  const start = fileName + asideEnding;
  return name.startsWith(start) && /^[1-9]\d{0,14}$/.test(name.slice(start.length))
    ? Number(name.slice(start.length))
    : 0;
}
