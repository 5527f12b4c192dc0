/** The files of a folder of objects that are open to be read: a bounded number, of which the one unused longest goes first. */
import { objectHandleCountMax } from "#src/core/store-limits.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { isLackOfDescriptors } from "#src/host/lack-of-room.ts";

export class ObjectHandles {
  readonly #files: Files;
  /** By path; the one used last is last. */
  readonly #open = new Map<string, FileHandle>();

  constructor(files: Files) {
    this.#files = files;
  }

  /** May be closed as soon as another one is asked for. */
  at(path: string): FileHandle {
    const known = this.#open.get(path);
    if (known !== undefined) {
      this.#open.delete(path);
      this.#open.set(path, known);
      return known;
    }
    if (this.#open.size >= objectHandleCountMax) this.#closeOldest();
    const handle = this.#opened(path);
    this.#open.set(path, handle);
    return handle;
  }

  /** Where descriptors are scarce, those that are only kept for later make way. */
  #opened(path: string): FileHandle {
    for (;;) {
      try {
        return this.#files.open(path, "read");
      } catch (error) {
        if (!isLackOfDescriptors(error) || this.#open.size === 0) throw error;
        this.#closeOldest();
      }
    }
  }

  #closeOldest(): void {
    for (const path of this.#open.keys()) return this.drop(path);
  }

  drop(path: string): void {
    this.#open.get(path)?.close();
    this.#open.delete(path);
  }

  closeAll(): void {
    for (const handle of this.#open.values()) handle.close();
    this.#open.clear();
  }
}
