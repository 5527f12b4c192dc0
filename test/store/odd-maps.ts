/** Sorted maps that answer as they should until they are told to do otherwise. */
import type { SortedMap, SortedMaps } from "#src/host/sorted-map.ts";

export type Odd = Partial<Pick<SortedMap, "get" | "keys" | "change">>;

export class OddMaps implements SortedMaps {
  /** Answers of the map that was opened last, or of the first one; a later one is as it should be. */
  odd: Odd;
  /** Why none can be opened. */
  openError: Error | undefined;
  readonly #maps: SortedMaps;
  #openCount = 0;

  constructor(maps: SortedMaps, odd: Odd = {}) {
    this.#maps = maps;
    this.odd = odd;
  }

  open(path: string, tables: readonly string[]): SortedMap {
    if (this.openError !== undefined) throw this.openError;
    const map = this.#maps.open(path, tables);
    const number = ++this.#openCount;
    if (number > 1) this.odd = {};
    const odd = (): Odd => (number === this.#openCount ? this.odd : {});
    return {
      get: (table, key) => (odd().get ?? map.get.bind(map))(table, key),
      keys: (table, after, countMax) => (odd().keys ?? map.keys.bind(map))(table, after, countMax),
      change: (write) => (odd().change ?? map.change.bind(map))(write),
      count: (table) => map.count(table),
      sizeBytes: () => map.sizeBytes(),
      close: () => map.close(),
    };
  }

  remove(path: string): void {
    this.#maps.remove(path);
  }

  rename(from: string, to: string): void {
    this.#maps.rename(from, to);
  }
}
