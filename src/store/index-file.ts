/**
 * The file of an index over its whole life: opened, or begun from nothing; set aside when it is not to be trusted, with
 * another one in its place. While there is none, nothing is in it, and that is all that anybody notices.
 *
 * Invariants:
 *   a key is in the file => the filter says that it may be
 *   a segment is in `generations` => it is durably in the file, together with what was gathered of it
 */
import { isOwnFault } from "#src/core/assert.ts";
import { indexFilterKeysMin } from "#src/core/store-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import { isLackOfRoom } from "#src/host/lack-of-room.ts";
import type { Randomness } from "#src/host/randomness.ts";
import { SortedMapError } from "#src/host/sorted-map.ts";
import { holeAddress } from "#src/records/address.ts";
import { FilterKeeper } from "./filter-keeper.ts";
import { FingerprintFile } from "./fingerprint-file.ts";
import { FingerprintTable } from "./fingerprint-table.ts";
import type { GatheredChanges } from "./gathered-changes.ts";
import { type IndexAbout, indexIdentityBytes } from "./index-about-format.ts";
import { IndexFolder, type IndexFolderParts } from "./index-folder.ts";

export interface IndexFileParts extends IndexFolderParts {
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Of the store, 16 bytes. */
  readonly store: Buffer;
  readonly filterBytesMax: number;
}

/** The second time is for the one that takes the place of what was set aside. */
const attemptCount = 2;

export class IndexFile {
  readonly #parts: IndexFileParts;
  readonly #folder: IndexFolder;
  readonly #filter: FilterKeeper;
  readonly #generations = new Map<number, number>();
  #file: FingerprintFile | undefined;
  #about: IndexAbout | undefined;
  /** It has to be set aside before another one is begun, and closed before that if it is open. */
  #isLost = false;
  #lostFile: FingerprintFile | undefined;
  #lossCount = 0;
  #readCount = 0;
  #missCount = 0;
  #changeCount = 0;

  private constructor(parts: IndexFileParts, folder: IndexFolder) {
    this.#parts = parts;
    this.#folder = folder;
    this.#filter = new FilterKeeper({
      files: parts.files,
      clock: parts.clock,
      log: parts.log,
      path: folder.filterPath,
      bytesMax: parts.filterBytesMax,
      keyCountMin: indexFilterKeysMin,
      onFault: (error) => this.#fault(error),
    });
  }

  static async open(parts: IndexFileParts): Promise<IndexFile> {
    const file = new IndexFile(parts, await IndexFolder.open(parts));
    await file.#begin();
    return file;
  }

  get generations(): ReadonlyMap<number, number> {
    return this.#generations;
  }

  /** Another number, and what was in the file is not there any more. */
  get lossCount(): number {
    return this.#lossCount;
  }

  get about(): IndexAbout | undefined {
    return this.#about;
  }

  /** Otherwise nobody knows what is in it. */
  get isOpen(): boolean {
    return this.#file !== undefined;
  }

  /** Whether what was lost is out of the way for good. */
  async settle(): Promise<boolean> {
    if (this.#isLost) await this.#begin();
    return !this.#isLost;
  }

  /** The hole where there is none. */
  addressOf(high: number, low: number): number {
    if (this.#file === undefined || !this.#filter.mayHave(high, low)) return holeAddress;
    this.#readCount++;
    const address = this.#ask((file) => file.addressOf(high, low), holeAddress);
    if (address === holeAddress) this.#missCount++;
    return address;
  }

  /** Whether it is durable. Where it is not, the reason was logged. */
  async change(gathered: GatheredChanges): Promise<boolean> {
    for (let attempt = 0; attempt < attemptCount; attempt++) {
      if (this.#file === undefined) await this.#begin();
      const [file, about] = [this.#file, this.#about];
      if (file === undefined || about === undefined) return false;
      const next = { ...about, changeCount: about.changeCount + 1 };
      try {
        const { fingerprints, generations } = gathered;
        await file.change({ fingerprints, generations, about: next });
      } catch (error) {
        this.#fault(error);
        if (isLackOfRoom(error)) return false;
      }
      // It may have been lost to a lookup meanwhile, too.
      if (this.#file === file) return await this.#changed(gathered, next);
    }
    return false;
  }

  /** In words; what it knew has to be added again. */
  lose(why: string, error?: unknown): void {
    const cause = error === undefined ? {} : { error };
    this.#parts.log.warn("the index of fingerprints is set aside, and made anew", { why, ...cause });
    this.#lostFile = this.#file;
    this.#isLost = true;
    this.#lossCount++;
    this.#file = undefined;
    this.#about = undefined;
    this.#generations.clear();
    this.#filter.stop();
  }

  async close(): Promise<void> {
    try {
      if (this.#file !== undefined && this.#about !== undefined) this.#filter.keep(this.#about);
      this.#filter.stop();
      await this.#setLostAside();
      await this.#file?.close();
    } finally {
      this.#file = undefined;
      await this.#folder.close();
    }
  }

  figures() {
    return {
      storedCount: this.#ask((file) => file.fingerprintCount, 0),
      fileBytes: this.#ask((file) => file.sizeBytes, 0),
      filterBytes: this.#filter.bytes,
      hasFilter: this.#filter.isThere,
      fileReadCount: this.#readCount,
      fileMissCount: this.#missCount,
      flushCount: this.#changeCount,
      setAsideCount: this.#lossCount,
    };
  }

  #ask<Answer>(question: (file: FingerprintFile) => Answer, unknown: Answer): Answer {
    if (this.#file === undefined) return unknown;
    try {
      return question(this.#file);
    } catch (error) {
      this.#fault(error);
      return unknown;
    }
  }

  async #begin(): Promise<void> {
    for (let attempt = 0; attempt < attemptCount && this.#file === undefined; attempt++) {
      try {
        await this.#setLostAside();
        await this.#openFile();
      } catch (error) {
        this.#fault(error);
      }
    }
  }

  async #openFile(): Promise<void> {
    const file = new FingerprintFile(this.#parts.maps, this.#folder.filePath);
    try {
      const about = file.about() ?? (await this.#beginAbout(file));
      if (!about.store.equals(this.#parts.store)) throw new SortedMapError("it is of another store");
      for (const [segment, generation] of file.generations()) this.#generations.set(segment, generation);
      this.#filter.begin(file, about);
      this.#file = file;
      this.#about = about;
    } catch (error) {
      this.#generations.clear();
      await file.close().catch(() => {});
      throw error;
    }
  }

  async #beginAbout(file: FingerprintFile): Promise<IndexAbout> {
    if (file.fingerprintCount > 0) throw new SortedMapError("it does not say of which store it is");
    const about = {
      store: this.#parts.store,
      identity: this.#parts.randomness.bytes(indexIdentityBytes),
      changeCount: 0,
    };
    await file.change({ fingerprints: new FingerprintTable(), generations: new Map(), about });
    await this.#folder.keepNames();
    return about;
  }

  async #setLostAside(): Promise<void> {
    if (!this.#isLost) return;
    await this.#lostFile?.close().catch(() => {});
    this.#lostFile = undefined;
    await this.#folder.setAside();
    this.#isLost = false;
  }

  async #changed({ fingerprints, generations }: GatheredChanges, about: IndexAbout): Promise<boolean> {
    this.#about = about;
    this.#changeCount++;
    for (const [segment, generation] of generations) {
      if (generation === undefined) this.#generations.delete(segment);
      else this.#generations.set(segment, generation);
    }
    this.#filter.expect(fingerprints.count);
    fingerprints.visitSorted((high, low, address) => {
      if (address !== holeAddress) this.#filter.add(high, low);
    });
    this.#filter.tend();
    await this.#folder.prove();
    return true;
  }

  #fault(error: unknown): void {
    if (isOwnFault(error)) throw error;
    if (error instanceof SortedMapError) this.lose(error.message, error);
    else this.#parts.log.warn("the index of fingerprints cannot be used for now", { error });
  }
}
