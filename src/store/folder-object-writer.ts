/**
 * Writes an object's file under another name, and has it published when it is whole and durable. Until then nothing but
 * that file exists, so whatever fails is tidied up and can be begun anew.
 */
import { assert } from "#src/core/assert.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { isLackOfSpace } from "#src/host/lack-of-room.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { DurableFolders } from "./durable-folders.ts";
import { failureWithoutTrace, isOfSystem } from "./object-error.ts";
import type { ObjectWriter } from "./objects.ts";
import type { SpaceReserve } from "./space-reserve.ts";

export interface FolderObjectParts {
  readonly files: Files;
  readonly folders: DurableFolders;
  /** What to call it in errors. */
  readonly what: string;
  /** Where the file is written; nothing else has this name. */
  readonly unpublishedPath: string;
  /** What makes room where there is none. */
  readonly reserve: SpaceReserve | undefined;
  /** Gives it its own name, or removes it. */
  readonly publish: () => Promise<void>;
}

export class FolderObjectWriter implements ObjectWriter {
  readonly #parts: FolderObjectParts;
  #handle: FileHandle | undefined;
  #writtenBytes = 0;
  #isOver = false;

  constructor(parts: FolderObjectParts) {
    this.#parts = parts;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  async write(bytes: Buffer): Promise<void> {
    this.#assertOpen();
    // Nobody else has a turn between making room and taking it.
    for (let isWritten = false; !isWritten; ) isWritten = this.#tryWrite(bytes);
    this.#writtenBytes += bytes.length;
  }

  /** Answers false where there was no room, and some has been made. */
  #tryWrite(bytes: Buffer): boolean {
    try {
      this.#opened().writeNow(bytes, 0, bytes.length, this.#writtenBytes);
      return true;
    } catch (error) {
      if (isLackOfSpace(error) && this.#parts.reserve?.give(bytes.length) === true) return false;
      throw this.#failed(error);
    }
  }

  async finish(): Promise<void> {
    this.#assertOpen();
    this.#isOver = true;
    try {
      const handle = this.#opened();
      await whenDone((done) => handle.sync(done));
    } catch (error) {
      throw this.#failed(error);
    }
    this.#close();
    await this.#parts.publish();
  }

  async abandon(): Promise<void> {
    if (this.#isOver) return;
    this.#discard();
  }

  #opened(): FileHandle {
    if (this.#handle === undefined) {
      this.#parts.folders.makeParents(this.#parts.unpublishedPath);
      this.#handle = this.#parts.files.create(this.#parts.unpublishedPath);
    }
    return this.#handle;
  }

  #assertOpen(): void {
    assert(!this.#isOver, `${this.#parts.what} is written after it was over`);
    this.#parts.folders.assertUsable();
  }

  #failed(error: unknown): unknown {
    this.#discard();
    return failureWithoutTrace(error, this.#parts.what);
  }

  #discard(): void {
    this.#isOver = true;
    if (this.#handle === undefined) return;
    this.#close();
    removeLeftover(this.#parts.files, this.#parts.unpublishedPath);
  }

  #close(): void {
    this.#handle?.close();
    this.#handle = undefined;
  }
}

/** Where it cannot be removed it goes at the next opening; what led here is what matters. */
export function removeLeftover(files: Files, path: string): void {
  try {
    files.remove(path);
  } catch (error) {
    if (!isOfSystem(error)) throw error;
  }
}
