/**
 * The sorted maps port over the files of a simulated host: all of a map in memory, and published whole with each change. A
 * power cut, a full disk and what else is ordered for files does to it what it does to them.
 */
import { publishDocument, readDocument } from "#src/host/document.ts";
import type { Files } from "#src/host/files.ts";
import { isLackOfRoom } from "#src/host/lack-of-room.ts";
import { type SortedMap, type SortedMapChanges, SortedMapError, type SortedMaps } from "#src/host/sorted-map.ts";

const kind = { format: "simulated-sorted-map", version: 1 };

type Table = ReadonlyMap<string, string>;
type Tables = ReadonlyMap<string, Table>;

export class SimSortedMaps implements SortedMaps {
  readonly #files: Files;

  constructor(files: Files) {
    this.#files = files;
  }

  open(path: string, tables: readonly string[]): SortedMap {
    return new SimSortedMap(this.#files, path, tables);
  }

  remove(path: string): void {
    if (this.#files.exists(path)) this.#files.remove(path);
  }

  rename(from: string, to: string): void {
    this.#files.rename(from, to);
  }
}

class SimSortedMap implements SortedMap {
  readonly #files: Files;
  readonly #path: string;
  #tables: Tables;

  constructor(files: Files, path: string, tables: readonly string[]) {
    this.#files = files;
    this.#path = path;
    try {
      const content = (readDocument(files, path, kind) ?? {}) as Record<string, [string, string][]>;
      this.#tables = new Map(tables.map((name) => [name, new Map(content[name] ?? [])]));
    } catch (error) {
      throw translated(error);
    }
  }

  get(table: string, key: Buffer): Buffer | undefined {
    const value = this.#table(table).get(key.toString("hex"));
    return value === undefined ? undefined : Buffer.from(value, "hex");
  }

  keys(table: string, after: Buffer | undefined, countMax: number): Buffer[] {
    const start = after?.toString("hex");
    const behind = [...this.#table(table).keys()].filter((key) => start === undefined || key > start).sort();
    return behind.slice(0, countMax).map((key) => Buffer.from(key, "hex"));
  }

  count(table: string): number {
    return this.#table(table).size;
  }

  sizeBytes(): number {
    return this.#files.sizeBytes(this.#path) ?? 0;
  }

  async change(write: (changes: SortedMapChanges) => void): Promise<void> {
    const tables = new Map([...this.#tables].map(([name, table]) => [name, new Map(table)]));
    const tableOf = (name: string): Map<string, string> => {
      this.#table(name);
      return tables.get(name) as Map<string, string>;
    };
    write({
      put: (table, key, value) => tableOf(table).set(key.toString("hex"), value.toString("hex")),
      remove: (table, key) => tableOf(table).delete(key.toString("hex")),
    });
    const content = Object.fromEntries([...tables].map(([name, table]) => [name, [...table]]));
    try {
      await publishDocument(this.#files, this.#path, kind, content);
    } catch (error) {
      throw translated(error);
    }
    this.#tables = tables;
  }

  async close(): Promise<void> {
    this.#tables = new Map();
  }

  #table(name: string): Table {
    const table = this.#tables.get(name);
    if (table === undefined) throw new SortedMapError(`${this.#path} is not open with the table ${name}`);
    return table;
  }
}

function translated(error: unknown): unknown {
  return isLackOfRoom(error) ? error : new SortedMapError(`the map cannot be used: ${(error as Error).message}`);
}
