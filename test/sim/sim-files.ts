/** The files port over a simulated disk. */
import { dirname } from "node:path";
import { assert } from "#src/core/assert.ts";
import type { DoneCallback } from "#src/host/block-device.ts";
import type { FileHandle, Files, FolderEntry, FolderLock, OpenMode } from "#src/host/files.ts";
import type { SimDisk } from "./sim-disk.ts";
import { SimFile } from "./sim-file.ts";
import { SimFolder } from "./sim-folder.ts";
import { systemError } from "./system-error.ts";

export class SimFiles implements Files {
  readonly #disk: SimDisk;

  constructor(disk: SimDisk) {
    this.#disk = disk;
  }

  open(path: string, mode: OpenMode): FileHandle {
    this.#disk.opening();
    return new SimFileHandle(this.#disk, this.#disk.fileAt(path), path, mode);
  }

  create(path: string): FileHandle {
    this.#disk.opening();
    const { folder, name } = this.#disk.parentOf(path);
    if (folder.names.has(name)) throw systemError("EEXIST", path);
    const file = new SimFile();
    folder.apply([[name, file]]);
    this.#disk.note(`create ${path}`);
    return new SimFileHandle(this.#disk, file, path, "readWrite");
  }

  exists(path: string): boolean {
    try {
      return this.#disk.find(path) !== undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  }

  list(path: string): string[] {
    return [...this.#folderAt(path).names.keys()].sort();
  }

  entries(path: string): FolderEntry[] {
    const { names } = this.#folderAt(path);
    return this.list(path).map((name) => ({ name, isFolder: names.get(name)?.kind === "folder" }));
  }

  sizeBytes(path: string): number | undefined {
    const node = this.exists(path) ? this.#disk.find(path) : undefined;
    return node?.kind === "file" ? node.current.sizeBytes : undefined;
  }

  rename(from: string, to: string): void {
    assert(dirname(from) === dirname(to), "a file stays in its folder when it is renamed");
    const { folder, name } = this.#disk.parentOf(from);
    const newName = this.#disk.parentOf(to).name;
    const node = folder.names.get(name);
    const replaced = folder.names.get(newName);
    if (node === undefined) throw systemError("ENOENT", from);
    if (replaced !== undefined && replaced.kind !== node.kind) {
      throw systemError(replaced.kind === "folder" ? "EISDIR" : "ENOTDIR", to);
    }
    if (replaced?.kind === "folder" && replaced.names.size > 0) throw systemError("ENOTEMPTY", to);
    if (name !== newName) {
      folder.apply([
        [name, null],
        [newName, node],
      ]);
    }
    this.#disk.note(`rename ${from} to ${to}`);
  }

  remove(path: string): void {
    const file = this.#disk.fileAt(path);
    this.#disk.removalObserver?.(path, file);
    const { folder, name } = this.#disk.parentOf(path);
    folder.apply([[name, null]]);
    this.#disk.note(`remove ${path}`);
  }

  makeFolder(path: string): void {
    const { folder, name } = this.#disk.parentOf(path);
    const found = folder.names.get(name);
    if (found?.kind === "file") throw systemError("EEXIST", path);
    if (found === undefined) folder.apply([[name, new SimFolder()]]);
  }

  lockFolder(path: string): FolderLock {
    return this.#disk.lock(this.#folderAt(path), path);
  }

  syncFolder(path: string, done: DoneCallback): void {
    this.#disk.syncFolder(this.#disk.life, () => this.#folderAt(path), done);
  }

  #folderAt(path: string): SimFolder {
    const node = this.#disk.find(path);
    if (node === undefined) throw systemError("ENOENT", path);
    if (node.kind === "file") throw systemError("ENOTDIR", path);
    return node;
  }
}

class SimFileHandle implements FileHandle {
  readonly path: string;
  readonly #disk: SimDisk;
  readonly #file: SimFile;
  readonly #mode: OpenMode;
  readonly #life: number;
  readonly #failuresKnown: number;
  #closed = false;

  constructor(disk: SimDisk, file: SimFile, path: string, mode: OpenMode) {
    this.#disk = disk;
    this.#file = file;
    this.path = path;
    this.#mode = mode;
    this.#life = disk.life;
    this.#failuresKnown = file.syncFailureCount;
    disk.addHandle(file);
  }

  sizeBytesNow(): number {
    this.#assertUsable();
    return this.#file.current.sizeBytes;
  }

  readNow(buffer: Buffer, start: number, lengthBytes: number, position: number): number {
    this.#assertUsable();
    return this.#disk.readNow(this.#file, buffer, start, lengthBytes, position);
  }

  writeNow(buffer: Buffer, start: number, lengthBytes: number, position: number): void {
    this.#assertWritable("write");
    this.#disk.note(`write ${this.path} ${position}+${lengthBytes}`);
    this.#disk.writeNow(this.#file, buffer.subarray(start, start + lengthBytes), position);
  }

  writevNow(pieces: readonly Buffer[], position: number): void {
    const bytes = Buffer.concat(pieces);
    this.writeNow(bytes, 0, bytes.length, position);
  }

  truncateNow(sizeBytes: number): void {
    this.#assertWritable("truncate");
    this.#disk.note(`truncate ${this.path} to ${sizeBytes}`);
    this.#disk.changeNow(this.#file, { kind: "truncate", sizeBytes });
  }

  sync(done: DoneCallback): void {
    this.#assertUsable();
    this.#disk.sync(this.#life, this.#file, this.#failuresKnown, done);
  }

  close(): void {
    this.#assertUsable();
    this.#closed = true;
    this.#disk.dropHandle(this.#file);
  }

  #assertWritable(what: string): void {
    this.#assertUsable();
    if (this.#mode === "read") throw systemError(what === "write" ? "EBADF" : "EINVAL", this.path);
  }

  #assertUsable(): void {
    assert(!this.#closed, `${this.path} is used after it was closed`);
    this.#disk.assertAlive(this.#life);
  }
}
