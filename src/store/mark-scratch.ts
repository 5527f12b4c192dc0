/**
 * Where marks go that memory has no room for: a file without a name, which ends with whoever has it open. Nothing in it
 * outlives a collection, so it is neither synced nor checked.
 *
 * It lies beside the index. Where that disk is full, what comes then goes into another one where the reserve of room is, which
 * gives what is lacking: collection has to run on a full disk.
 */
import { join } from "node:path";
import { assert } from "#src/core/assert.ts";
import { RetryError } from "#src/core/errors.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { isLackOfRoom, isLackOfSpace } from "#src/host/lack-of-room.ts";
import { unpublishedEnding } from "#src/host/publish.ts";
import { inWords } from "#src/host/system-words.ts";
import type { SpaceReserve } from "./space-reserve.ts";

export interface MarkScratch {
  /** As many bytes as were written there at once. */
  read(target: Buffer, position: number): void;
  /** Throws a `RetryError` where there is no room. */
  write(bytes: Buffer, position: number): void;
  close(): void;
}

const name = `marks${unpublishedEnding}`;

export class FileMarkScratch implements MarkScratch {
  readonly #reserve: SpaceReserve;
  readonly #own: NamelessFile;
  /** Undefined: there is no reserve. */
  readonly #spare: NamelessFile | undefined;
  /** Positions of what is in the spare one. */
  readonly #spared = new Set<number>();

  constructor(files: Files, folder: string, reserve: SpaceReserve) {
    this.#reserve = reserve;
    this.#own = new NamelessFile(files, folder);
    this.#spare = reserve.folder === undefined ? undefined : new NamelessFile(files, reserve.folder);
  }

  read(target: Buffer, position: number): void {
    const file = this.#spared.has(position) ? this.#spare : this.#own;
    file?.read(target, position);
  }

  write(bytes: Buffer, position: number): void {
    try {
      if (!this.#tryOwn(bytes, position)) this.#writeSpare(bytes, position);
    } catch (error) {
      if (!isLackOfRoom(error)) throw error;
      throw new RetryError(`there is no room for the marks of a collection: ${inWords(error)}`, { cause: error });
    }
  }

  /** Answers false where there is no room. What is overwritten needs some too, on some file systems. */
  #tryOwn(bytes: Buffer, position: number): boolean {
    if (this.#spared.has(position)) return false;
    try {
      this.#own.write(bytes, position);
      return true;
    } catch (error) {
      if (this.#spare !== undefined && isLackOfSpace(error)) return false;
      throw error;
    }
  }

  #writeSpare(bytes: Buffer, position: number): void {
    assert(this.#spare !== undefined, "nothing is put where there is no reserve");
    // Nobody else of this process has a turn between making room and taking it.
    for (let isWritten = false; !isWritten; ) {
      try {
        this.#spare.write(bytes, position);
        isWritten = true;
      } catch (error) {
        if (!isLackOfSpace(error) || !this.#reserve.give(bytes.length)) throw error;
      }
    }
    this.#spared.add(position);
  }

  close(): void {
    this.#own.close();
    this.#spare?.close();
    this.#spared.clear();
  }
}

class NamelessFile {
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
    this.#handle ??= this.#made();
    this.#handle.writeNow(bytes, 0, bytes.length, position);
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
