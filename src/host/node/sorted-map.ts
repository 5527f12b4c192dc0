/**
 * Sorted maps by LMDB. Each change is one transaction that is synced before it returns, the slow and plain way: changes are
 * rare and large, so that the sync is a small part of them, and after a loss of power the file is what one of them left.
 */
import fs from "node:fs";
import os from "node:os";
import { getSystemErrorName } from "node:util";
import { type Database, open, type RootDatabase } from "lmdb";
import { sortedMapTableCountMax } from "#src/core/store-limits.ts";
import { isLackOfRoom } from "../lack-of-room.ts";
import { type SortedMap, type SortedMapChanges, SortedMapError, type SortedMaps } from "../sorted-map.ts";
import { prepareFile } from "./lmdb-header.ts";
import { systemError } from "./system-error.ts";

type Table = Database<Buffer, Buffer>;

/** What LMDB keeps beside the file: who reads it. Of no meaning once nobody has it open. */
const lockEnding = "-lock";
const probeEnding = "-room";
const probeBytes = 1024 * 1024;
const bytesOfBoth = { encoding: "binary", keyEncoding: "binary" } as const;

export const lmdbMaps: SortedMaps = {
  open: (path, tables) => new LmdbMap(path, tables),
  remove: (path) => {
    fs.rmSync(path + lockEnding, { force: true });
    fs.rmSync(path, { force: true });
  },
  rename: (from, to) => {
    fs.rmSync(from + lockEnding, { force: true });
    fs.rmSync(to + lockEnding, { force: true });
    fs.renameSync(from, to);
  },
};

class LmdbMap implements SortedMap {
  readonly #path: string;
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #changes: SortedMapChanges = {
    put: (table, key, value) => this.#table(table).putSync(key, value),
    remove: (table, key) => {
      this.#table(table).removeSync(key);
    },
  };

  constructor(path: string, tables: readonly string[]) {
    this.#path = path;
    // A lock that a crash has left may be damaged too, and would then be waited for without an end.
    fs.rmSync(path + lockEnding, { force: true });
    prepareFile(path);
    this.#root = checked(() =>
      open<Buffer, Buffer>(path, {
        noSubdir: true,
        maxDbs: sortedMapTableCountMax,
        // Otherwise a sync goes on after a change has returned, with a recovery of its own.
        overlappingSync: false,
        ...bytesOfBoth,
      }),
    );
    try {
      this.#tables = new Map(
        tables.map((name) => [name, checked(() => this.#root.openDB<Buffer, Buffer>({ name, ...bytesOfBoth }))]),
      );
    } catch (error) {
      void this.#root.close().catch(() => {});
      throw error;
    }
  }

  get(table: string, key: Buffer): Buffer | undefined {
    const store = this.#table(table);
    try {
      const bytes = store.getBinaryFast(key);
      // It says a length that is not the one it has.
      return bytes?.subarray(0, bytes.length);
    } catch (error) {
      throw translated(error);
    }
  }

  keys(table: string, after: Buffer | undefined, countMax: number): Buffer[] {
    const start = after === undefined ? {} : { start: after, exclusiveStart: true };
    return checked(() => [...this.#table(table).getKeys({ ...start, limit: countMax, snapshot: false })]);
  }

  count(table: string): number {
    return checked(() => (this.#table(table).getStats() as { readonly entryCount: number }).entryCount);
  }

  sizeBytes(): number {
    return fs.statSync(this.#path).size;
  }

  async change(write: (changes: SortedMapChanges) => void): Promise<void> {
    try {
      this.#root.transactionSync(() => write(this.#changes));
    } catch (error) {
      throw isShortWrite(error) && !hasRoom(this.#path) ? systemError("ENOSPC", this.#path) : translated(error);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#root.close();
    } catch (error) {
      throw translated(error);
    }
  }

  #table(name: string): Table {
    const table = this.#tables.get(name);
    if (table === undefined) throw new SortedMapError(`${this.#path} was opened without the table ${name}`);
    return table;
  }
}

function checked<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    throw translated(error);
  }
}

/** LMDB gives the system's number, and this one also where less was written than it had asked for. */
function isShortWrite(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === os.constants.errno.EIO;
}

/** Whether it is the disk that is full, or the quota. */
function hasRoom(path: string): boolean {
  const probe = path + probeEnding;
  try {
    fs.writeFileSync(probe, Buffer.alloc(probeBytes, 1));
    return true;
  } catch (error) {
    return !isLackOfRoom(error);
  } finally {
    fs.rmSync(probe, { force: true });
  }
}

function translated(error: unknown): Error {
  if (isLackOfRoom(error)) return error as Error;
  const { code } = error as { readonly code?: unknown };
  const name = typeof code === "number" && code > 0 ? getSystemErrorName(-code) : "";
  if (isLackOfRoom({ code: name })) return systemError(name, (error as Error).message);
  return new SortedMapError(`the map cannot be used: ${(error as Error).message}`, { cause: error });
}
