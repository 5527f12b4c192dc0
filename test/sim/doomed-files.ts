/**
 * Files whose process meets its end at one of its own calls: counted are the calls that change something, and the ends of
 * syncs. What the process calls afterwards fails, and nothing calls it back.
 */
import type { DoneCallback } from "#src/host/block-device.ts";
import type { FileHandle, Files, FolderEntry, FolderLock, OpenMode } from "#src/host/files.ts";

export class DoomedFiles implements Files {
  readonly #files: Files;
  readonly #doom: () => void;
  readonly #mayDie: () => boolean;
  #pointsLeft: number;
  #pointCount = 0;
  #isDead = false;
  /** What the system lets go of when the process ends. */
  readonly #held = new Set<() => void>();

  /** `doom` is called instead of the call after so many others, or of the first one behind it at which the process may die. */
  constructor(files: Files, pointsBefore: number, doom: () => void, mayDie = () => true) {
    this.#files = files;
    this.#pointsLeft = pointsBefore;
    this.#doom = doom;
    this.#mayDie = mayDie;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** So many points have been passed. */
  get pointCount(): number {
    return this.#pointCount;
  }

  /** False: the process is dead, perhaps since now. */
  passes(): boolean {
    if (!this.#isDead && this.#pointsLeft-- <= 0 && this.#mayDie()) {
      this.#isDead = true;
      this.#doom();
    }
    if (!this.#isDead) this.#pointCount++;
    return !this.#isDead;
  }

  /** From outside, between two calls. */
  end(): void {
    this.#isDead = true;
    for (const letGo of this.#held) letGo();
    this.#held.clear();
  }

  /** Until the answer is called, which is the process's own letting go. */
  held(letGo: () => void): () => void {
    this.#held.add(letGo);
    return () => this.#held.delete(letGo);
  }

  assertAlive(): void {
    if (this.#isDead) throw new Error("the process is dead");
  }

  #point(): Files {
    if (!this.passes()) this.assertAlive();
    return this.#files;
  }

  #alive(): Files {
    this.assertAlive();
    return this.#files;
  }

  /** A sync has two points: it begins, and it is told to be done. */
  guarded(done: DoneCallback): DoneCallback {
    return (error) => {
      if (this.passes()) done(error);
    };
  }

  open(path: string, mode: OpenMode): FileHandle {
    return new DoomedHandle(this, this.#alive().open(path, mode));
  }

  create(path: string): FileHandle {
    return new DoomedHandle(this, this.#point().create(path));
  }

  exists(path: string): boolean {
    return this.#alive().exists(path);
  }

  list(path: string): string[] {
    return this.#alive().list(path);
  }

  entries(path: string): FolderEntry[] {
    return this.#alive().entries(path);
  }

  sizeBytes(path: string): number | undefined {
    return this.#alive().sizeBytes(path);
  }

  rename(from: string, to: string): void {
    this.#point().rename(from, to);
  }

  remove(path: string): void {
    this.#point().remove(path);
  }

  makeFolder(path: string): void {
    this.#point().makeFolder(path);
  }

  lockFolder(path: string): FolderLock {
    const lock = this.#alive().lockFolder(path);
    const released = this.held(() => lock.release());
    return {
      release: () => {
        this.assertAlive();
        released();
        lock.release();
      },
    };
  }

  syncFolder(path: string, done: DoneCallback): void {
    this.#point().syncFolder(path, this.guarded(done));
  }
}

class DoomedHandle implements FileHandle {
  readonly #process: DoomedFiles;
  readonly #handle: FileHandle;
  readonly #closed: () => void;

  constructor(process: DoomedFiles, handle: FileHandle) {
    this.#process = process;
    this.#handle = handle;
    this.#closed = process.held(() => handle.close());
  }

  get path(): string {
    return this.#handle.path;
  }

  #point(): FileHandle {
    if (!this.#process.passes()) this.#process.assertAlive();
    return this.#handle;
  }

  #alive(): FileHandle {
    this.#process.assertAlive();
    return this.#handle;
  }

  sizeBytesNow(): number {
    return this.#alive().sizeBytesNow();
  }

  readNow(buffer: Buffer, start: number, lengthBytes: number, position: number): number {
    return this.#alive().readNow(buffer, start, lengthBytes, position);
  }

  writeNow(buffer: Buffer, start: number, lengthBytes: number, position: number): void {
    this.#point().writeNow(buffer, start, lengthBytes, position);
  }

  writevNow(pieces: readonly Buffer[], position: number): void {
    this.#point().writevNow(pieces, position);
  }

  truncateNow(sizeBytes: number): void {
    this.#point().truncateNow(sizeBytes);
  }

  sync(done: DoneCallback): void {
    this.#point().sync(this.#process.guarded(done));
  }

  close(): void {
    this.#alive().close();
    this.#closed();
  }
}
