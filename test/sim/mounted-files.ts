/** Files of several disks under one root: what lies in a mount's folder is on its disk, everything else on the first. */
import type { DoneCallback } from "#src/host/block-device.ts";
import type { FileHandle, Files, FolderEntry, FolderLock, OpenMode } from "#src/host/files.ts";

export class MountedFiles implements Files {
  readonly #first: Files;
  readonly #mounts = new Map<string, Files>();

  constructor(first: Files) {
    this.#first = first;
  }

  /** `folder`: of the root. A path means the same on each disk. */
  mount(folder: string, files: Files): void {
    this.#mounts.set(folder, files);
  }

  #of(path: string): Files {
    for (const [folder, files] of this.#mounts) {
      if (path === folder || path.startsWith(`${folder}/`)) return files;
    }
    return this.#first;
  }

  open(path: string, mode: OpenMode): FileHandle {
    return this.#of(path).open(path, mode);
  }

  create(path: string): FileHandle {
    return this.#of(path).create(path);
  }

  exists(path: string): boolean {
    return this.#of(path).exists(path);
  }

  list(path: string): string[] {
    return this.#of(path).list(path);
  }

  entries(path: string): FolderEntry[] {
    return this.#of(path).entries(path);
  }

  sizeBytes(path: string): number | undefined {
    return this.#of(path).sizeBytes(path);
  }

  rename(from: string, to: string): void {
    this.#of(from).rename(from, to);
  }

  remove(path: string): void {
    this.#of(path).remove(path);
  }

  makeFolder(path: string): void {
    this.#of(path).makeFolder(path);
  }

  lockFolder(path: string): FolderLock {
    return this.#of(path).lockFolder(path);
  }

  syncFolder(path: string, done: DoneCallback): void {
    this.#of(path).syncFolder(path, done);
  }
}
