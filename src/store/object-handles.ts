/**
 * The files of a folder of objects that are open to be read: a bounded number, of which the one unused longest goes first.
 * Now and then all of them are closed: one that somebody else has removed gives back its room only then.
 */
import { objectHandleCountMax, objectHandlesRestMs } from "#src/core/store-limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { isLackOfDescriptors } from "#src/host/lack-of-room.ts";

export class ObjectHandles {
  readonly #files: Files;
  readonly #clock: Clock;
  /** By path; the one used last is last. */
  readonly #open = new Map<string, FileHandle>();
  /** There while any is open. */
  #rest: Timer | undefined;

  constructor(files: Files, clock: Clock) {
    this.#files = files;
    this.#clock = clock;
  }

  /** The same as `at`, of one that is open. */
  opened(path: string): FileHandle | undefined {
    const known = this.#open.get(path);
    if (known === undefined) return undefined;
    this.#open.delete(path);
    this.#open.set(path, known);
    return known;
  }

  /** May be closed as soon as another one is asked for. */
  at(path: string): FileHandle {
    const known = this.opened(path);
    if (known !== undefined) return known;
    if (this.#open.size >= objectHandleCountMax) this.#closeOldest();
    const handle = this.#openedAnew(path);
    this.#open.set(path, handle);
    this.#rest ??= this.#clock.timer(objectHandlesRestMs, () => this.closeAll());
    return handle;
  }

  /** Where descriptors are scarce, those that are only kept for later make way. */
  #openedAnew(path: string): FileHandle {
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
    this.#rest?.cancel();
    this.#rest = undefined;
    for (const handle of this.#open.values()) handle.close();
    this.#open.clear();
  }
}
