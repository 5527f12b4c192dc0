/**
 * The reserve of a folder of objects: a file that takes room, which becomes shorter when room is needed. What is in it is of
 * chance, so that no file system stores it as less than it is.
 */
import { join } from "node:path";
import { MiB } from "#src/core/limits.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import type { Log } from "#src/host/log.ts";
import type { Randomness } from "#src/host/randomness.ts";
import { whenDone } from "#src/host/when-done.ts";
import { isOfSystem } from "./object-error.ts";
import type { SpaceReserve } from "./space-reserve.ts";

/** No object and no document is called so. */
const name = ".reserve";
const pieceBytes = 1 * MiB;

export interface FolderReserveParts {
  readonly files: Files;
  readonly randomness: Randomness;
  readonly log: Log;
  /** Of the objects. */
  readonly folder: string;
  /** As it is to be now. 0: none is held, and what was held is given back. */
  readonly byteLength: () => number;
}

export class FolderReserve implements SpaceReserve {
  readonly #parts: FolderReserveParts;
  readonly #path: string;
  #heldBytes: number;

  /** By whoever has the folder open, and has made it. */
  constructor(parts: FolderReserveParts) {
    this.#parts = parts;
    this.#path = join(parts.folder, name);
    this.#heldBytes = parts.files.sizeBytes(this.#path) ?? 0;
    const byteLength = parts.byteLength();
    if (this.#heldBytes > byteLength) this.#cutTo(byteLength);
  }

  get folder(): string {
    return this.#parts.folder;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  give(byteLength: number): boolean {
    if (this.#heldBytes === 0) return false;
    try {
      this.#cutTo(Math.max(0, this.#heldBytes - Math.max(byteLength, pieceBytes)));
      return true;
    } catch (error) {
      if (!isOfSystem(error)) throw error;
      this.#parts.log.error("the store's reserve of room cannot be had", { error });
      return false;
    }
  }

  #cutTo(byteLength: number): void {
    const handle = this.#parts.files.open(this.#path, "readWrite");
    try {
      handle.truncateNow(byteLength);
      this.#heldBytes = byteLength;
    } finally {
      handle.close();
    }
  }

  async refill(): Promise<void> {
    const { log } = this.#parts;
    const byteLength = this.#parts.byteLength();
    if (this.#heldBytes >= byteLength) return;
    try {
      await this.#fill(byteLength);
    } catch (error) {
      if (!isOfSystem(error)) throw error;
      log.warn("the store's reserve of room is not full", { heldBytes: this.#heldBytes, error });
    }
  }

  async #fill(byteLength: number): Promise<void> {
    const { files, randomness } = this.#parts;
    const handle = files.exists(this.#path) ? files.open(this.#path, "readWrite") : files.create(this.#path);
    try {
      const piece = randomness.bytes(Math.min(pieceBytes, byteLength));
      while (this.#heldBytes < byteLength) this.#add(handle, piece, byteLength);
      await whenDone((done) => handle.sync(done));
    } finally {
      handle.close();
    }
  }

  #add(handle: FileHandle, piece: Buffer, byteLength: number): void {
    const count = Math.min(piece.length, byteLength - this.#heldBytes);
    try {
      handle.writeNow(piece, 0, count, this.#heldBytes);
    } catch (error) {
      // A part of it may have been written.
      handle.truncateNow(this.#heldBytes);
      throw error;
    }
    this.#heldBytes += count;
  }
}
