/**
 * What was written and is not durable yet: files, and folders in which names were given. One call makes all of it
 * durable together. After one failure nobody knows what is on the disk, so the first error is repeated for ever.
 */
import { assert } from "#src/core/assert.ts";
import type { DoneCallback } from "#src/host/block-device.ts";
import type { FileHandle, Files } from "#src/host/files.ts";

export class DirtyFiles {
  readonly #files: Files;
  #handles = new Set<FileHandle>();
  #folders = new Set<string>();
  /** Not written any more: closed when they are durable. */
  readonly #retired = new Set<FileHandle>();
  #isSyncing = false;
  #failure: Error | null = null;

  constructor(files: Files) {
    this.#files = files;
  }

  get isClean(): boolean {
    return this.#handles.size === 0 && this.#folders.size === 0 && !this.#isSyncing;
  }

  written(handle: FileHandle): void {
    this.#handles.add(handle);
  }

  named(folder: string): void {
    this.#folders.add(folder);
  }

  /** The handle is not used any more by whoever opened it. */
  retire(handle: FileHandle): void {
    if (this.#handles.has(handle) || this.#isSyncing) this.#retired.add(handle);
    else handle.close();
  }

  /** All that was noted before this call is durable when `done` is called without an error. One at a time. */
  sync(done: DoneCallback): void {
    assert(!this.#isSyncing, "one sync at a time");
    this.#isSyncing = true;
    const handles = this.#handles;
    const folders = this.#folders;
    this.#handles = new Set();
    this.#folders = new Set();
    let waiting = handles.size + folders.size;
    const finish: DoneCallback = (error) => {
      this.#failure ??= error;
      waiting--;
      if (waiting > 0) return;
      this.#isSyncing = false;
      this.#closeRetired();
      done(this.#failure);
    };
    assert(waiting > 0, "only what is not durable is synced");
    for (const handle of handles) handle.sync(finish);
    for (const folder of folders) this.#files.syncFolder(folder, finish);
  }

  #closeRetired(): void {
    for (const handle of this.#retired) {
      if (this.#handles.has(handle)) continue;
      this.#retired.delete(handle);
      handle.close();
    }
  }

  /** Closes what is retired, durable or not: nothing is written any more. */
  abandon(): void {
    assert(!this.#isSyncing, "a sync is waited for first");
    this.#handles.clear();
    this.#folders.clear();
    this.#closeRetired();
  }
}
