/**
 * The documents of a folder. They are changed one after the other, and read between two changes: a content that is read is
 * durable. Since the folder is locked, nobody else changes them.
 */

import { assert } from "#src/core/assert.ts";
import { StopError } from "#src/core/errors.ts";
import { storeDocumentBytesMax } from "#src/core/store-limits.ts";
import { checksumBytes, putChecksum } from "#src/host/checksum.ts";
import type { Files } from "#src/host/files.ts";
import { putInPlace } from "#src/host/publish.ts";
import type { DurableFolders } from "./durable-folders.ts";
import { failureWithoutTrace, isAbsence, objectError } from "./object-error.ts";
import type { VersionedDocument } from "./objects.ts";

export class FolderDocuments {
  readonly #files: Files;
  readonly #folders: DurableFolders;
  /** Of each document in use, what resolves when nobody has it any more. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(files: Files, folders: DurableFolders) {
    this.#files = files;
    this.#folders = folders;
  }

  read(path: string): Promise<VersionedDocument | undefined> {
    return this.#inTurn(path, async () => this.#readNow(path));
  }

  change(path: string, bytes: Buffer, version: string | undefined): Promise<string | undefined> {
    assert(bytes.length <= storeDocumentBytesMax, "a document is small");
    return this.#inTurn(path, async () => {
      if (this.#readNow(path)?.version !== version) return undefined;
      try {
        this.#folders.makeParents(path);
        await putInPlace(this.#files, path, bytes);
      } catch (error) {
        throw failureWithoutTrace(error, path);
      }
      await this.#folders.keepNames(path);
      return versionOf(bytes);
    });
  }

  #readNow(path: string): VersionedDocument | undefined {
    this.#folders.assertUsable();
    try {
      const bytes = readWhole(this.#files, path);
      return { bytes, version: versionOf(bytes) };
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw objectError(error, path);
    }
  }

  async #inTurn<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(path) ?? Promise.resolve();
    const result = before.then(work);
    const turn = result.catch(() => {});
    this.#turns.set(path, turn);
    await turn;
    if (this.#turns.get(path) === turn) this.#turns.delete(path);
    return result;
  }
}

function readWhole(files: Files, path: string): Buffer {
  const handle = files.open(path, "read");
  try {
    const sizeBytes = handle.sizeBytesNow();
    if (sizeBytes > storeDocumentBytesMax) throw new StopError(`${path} is damaged: it is larger than it can be`);
    const bytes = Buffer.alloc(sizeBytes);
    handle.readNow(bytes, 0, bytes.length, 0);
    return bytes;
  } finally {
    handle.close();
  }
}

/** Tells contents from each other: one that comes back has the version that it had. */
function versionOf(bytes: Buffer): string {
  const sum = Buffer.alloc(checksumBytes);
  putChecksum(bytes, 0, bytes.length, sum, 0);
  return `${sum.toString("hex")}-${bytes.length}`;
}
