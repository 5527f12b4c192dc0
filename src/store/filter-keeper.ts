/**
 * Keeps a filter in step with the file of an index: reads the one that was kept, makes it anew of all keys where there is
 * none, and a larger one when there are more keys than it was made for. While there is none, everything may be in the
 * file, so making one takes its time between others' turns.
 *
 * Invariant: there is a filter => all keys of the file were added to it.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { indexFilterBitsPerKey } from "#src/core/store-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Files } from "#src/host/files.ts";
import type { Log } from "#src/host/log.ts";
import { type KeptFilter, readFilter, writeFilter } from "./filter-file.ts";
import { type FilterRoom, FingerprintFilter } from "./fingerprint-filter.ts";
import type { IndexAbout } from "./index-about-format.ts";

/** So that it is seldom made anew: for how many times the keys that there are. */
const plannedGrowth = 4;

/** What a filter is made of. */
export interface FilterKeys {
  readonly fingerprintCount: number;
  /** All keys, 8 bytes each, some at a time. What is added meanwhile is told or not. */
  keyPieces(): Iterable<readonly Buffer[]>;
}

export interface FilterParts {
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  readonly path: string;
  readonly bytesMax: number;
  /** For fewer none is made: a larger one costs little. */
  readonly keyCountMin: number;
  /** The file could not be read to its end. */
  readonly onFault: (error: unknown) => void;
}

interface Filter {
  readonly filter: FingerprintFilter;
  readonly plannedCount: number;
  keyCount: number;
}

export class FilterKeeper {
  readonly #parts: FilterParts;
  readonly #room: FilterRoom;
  #file: FilterKeys | undefined;
  #current: Filter | undefined;
  #building: Filter | undefined;

  constructor(parts: FilterParts) {
    this.#parts = parts;
    this.#room = { bitsPerKey: indexFilterBitsPerKey, bytesMax: parts.bytesMax };
  }

  get isThere(): boolean {
    return this.#current !== undefined;
  }

  get bytes(): number {
    return (this.#current?.filter.bytes ?? 0) + (this.#building?.filter.bytes ?? 0);
  }

  /** For this file from now on. */
  begin(file: FilterKeys, { identity, changeCount }: IndexAbout): void {
    this.stop();
    this.#file = file;
    const kept = this.#takeKept(identity, changeCount);
    if (kept !== undefined) this.#current = { ...kept, plannedCount: (kept.filter.bytes * 8) / indexFilterBitsPerKey };
    else this.#build(file.fingerprintCount);
    this.tend();
  }

  /** For none any more. */
  stop(): void {
    this.#file = undefined;
    this.#current = undefined;
    this.#building = undefined;
  }

  /** So many are about to be added. As long as there are none, a larger filter costs nothing. */
  expect(keyCount: number): void {
    if (this.#current?.keyCount === 0 && keyCount > this.#current.plannedCount) this.#current = this.#sized(keyCount);
  }

  /** A key that is in the file now. */
  add(high: number, low: number): void {
    for (const filter of [this.#current, this.#building]) {
      if (filter === undefined) continue;
      filter.filter.add(high, low);
      filter.keyCount++;
    }
  }

  mayHave(high: number, low: number): boolean {
    return this.#current === undefined || this.#current.filter.mayHave(high, low);
  }

  /** Makes a larger one if it is time. */
  tend(): void {
    const current = this.#current;
    if (current === undefined || this.#building !== undefined || current.keyCount <= current.plannedCount) return;
    if (current.filter.bytes < FingerprintFilter.bytesFor(current.keyCount, this.#room)) this.#build(current.keyCount);
  }

  /** For the next one that opens the file as it is now. Without it that one takes longer. */
  keep({ identity, changeCount }: IndexAbout): void {
    if (this.#current === undefined) return;
    const { filter, keyCount } = this.#current;
    try {
      writeFilter(this.#parts.files, this.#parts.path, { filter, identity, changeCount, keyCount });
    } catch (error) {
      if (isOwnFault(error)) throw error;
      this.#parts.log.warn("the filter of the index could not be kept, and will have to be made anew", { error });
    }
  }

  /** It is gone afterwards: from now on the file changes. */
  #takeKept(identity: Buffer, changeCount: number): KeptFilter | undefined {
    const { files, path, bytesMax } = this.#parts;
    try {
      const kept = readFilter(files, path, { identity, changeCount, bytesMax });
      if (files.exists(path)) files.remove(path);
      return kept;
    } catch (error) {
      if (isOwnFault(error)) throw error;
      return undefined;
    }
  }

  #build(keyCount: number): void {
    const building = this.#sized(keyCount);
    this.#building = building;
    this.#fill(building).catch((error) => {
      if (this.#building !== building) return;
      this.#building = undefined;
      this.#parts.onFault(error);
    });
  }

  #sized(keyCount: number): Filter {
    const plannedCount = Math.max(this.#parts.keyCountMin, keyCount * plannedGrowth);
    return { filter: FingerprintFilter.forKeys(plannedCount, this.#room), plannedCount, keyCount: 0 };
  }

  async #fill(building: Filter): Promise<void> {
    const { clock } = this.#parts;
    for (const keys of this.#file?.keyPieces() ?? []) {
      for (const key of keys) building.filter.add(key.readUInt32BE(0), key.readUInt32BE(4));
      building.keyCount += keys.length;
      await new Promise<void>((resolve) => clock.soon(resolve));
      // The file may be closed by now.
      if (this.#building !== building) return;
    }
    this.#current = building;
    this.#building = undefined;
  }
}
