/**
 * Where marks go that memory has no room for: a file without a name, which ends with whoever has it open. Nothing in it
 * outlives a collection, so it is neither synced nor checked.
 */
import { join } from "node:path";
import { RetryError } from "#src/core/errors.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { isLackOfRoom } from "#src/host/lack-of-room.ts";
import { unpublishedEnding } from "#src/host/publish.ts";
import { inWords } from "#src/host/system-words.ts";

export interface MarkScratch {
  read(target: Buffer, position: number): void;
  /** Throws a `RetryError` where there is no room. */
  write(bytes: Buffer, position: number): void;
  close(): void;
}

const name = `marks${unpublishedEnding}`;

export class FileMarkScratch implements MarkScratch {
  readonly #files: Files;
  readonly #path: string;
  /** Undefined: nothing was written yet. */
  #handle: FileHandle | undefined;

  constructor(files: Files, folder: string) {
    this.#files = files;
    this.#path = join(folder, name);
  }

  read(target: Buffer, position: number): void {
    this.#handle?.readNow(target, 0, target.length, position);
  }

  write(bytes: Buffer, position: number): void {
    try {
      this.#handle ??= this.#made();
      this.#handle.writeNow(bytes, 0, bytes.length, position);
    } catch (error) {
      if (!isLackOfRoom(error)) throw error;
      throw new RetryError(`there is no room for the marks of a collection: ${inWords(error)}`, { cause: error });
    }
  }

  #made(): FileHandle {
    // One that was killed between the two calls below has left it.
    if (this.#files.exists(this.#path)) this.#files.remove(this.#path);
    const handle = this.#files.create(this.#path);
    this.#files.remove(this.#path);
    return handle;
  }

  close(): void {
    this.#handle?.close();
    this.#handle = undefined;
  }
}
