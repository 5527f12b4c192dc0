/**
 * The folders below a store's own, and whether their names will survive a loss of power. After a sync of one has failed
 * nobody knows which names are on the disk, and a second sync that succeeds proves nothing about the first: from then on
 * whatever depends on names is refused. Whoever opens the store anew has to know of it: the system tells of each failure once.
 */
import { dirname } from "node:path";
import { assert } from "#src/core/assert.ts";
import type { Files } from "#src/host/files.ts";
import { keepName } from "#src/host/publish.ts";
import { objectError } from "./object-error.ts";
import { afterFailedSync, UnknownNamesError } from "./unknown-names-error.ts";

export class DurableFolders {
  readonly #files: Files;
  readonly #root: string;
  /** Folders whose own names are on the disk. */
  readonly #kept: Set<string>;
  readonly #failed: (error: UnknownNamesError) => void;
  #failure: UnknownNamesError | undefined;
  /** Settles when all that were begun have. Never rejects. */
  #syncs: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /**
   * `kept`: the root, and all folders in it that are known to be on the disk. `failed` is called when a sync has failed, before
   * anybody else hears of it.
   */
  constructor(
    files: Files,
    root: string,
    kept: Iterable<string>,
    failed: (error: UnknownNamesError) => void = () => {},
  ) {
    this.#files = files;
    this.#root = root;
    this.#kept = new Set(kept);
    this.#failed = failed;
  }

  assertOpen(): void {
    assert(!this.#isClosed, `the objects in ${this.#root} are used after they were closed`);
  }

  assertUsable(): void {
    this.assertOpen();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Makes what is missing of the folders that lead to this path. They are not durable yet. */
  makeParents(path: string): void {
    const folder = dirname(path);
    if (this.#kept.has(folder)) return;
    this.makeParents(folder);
    this.#files.makeFolder(folder);
  }

  /** All names given or removed in this path's folder before this call are durable when it resolves. */
  async keepNames(path: string): Promise<void> {
    const folder = dirname(path);
    if (!this.#kept.has(folder)) {
      await this.keepNames(folder);
      this.#kept.add(folder);
    }
    this.assertUsable();
    const sync = this.#sync(path);
    this.#syncs = Promise.allSettled([this.#syncs, sync]);
    await sync;
    // Another sync may have failed meanwhile, and have been told what this one should have been.
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #sync(path: string): Promise<void> {
    try {
      await keepName(this.#files, path);
    } catch (error) {
      const folder = dirname(path);
      const failure = afterFailedSync(error, folder);
      if (!(failure instanceof UnknownNamesError)) throw objectError(failure, folder);
      if (this.#failure !== undefined) return;
      this.#failure = failure;
      this.#failed(failure);
    }
  }

  /** Resolves when those that were begun are over, and rejects if one has failed. */
  async settled(): Promise<void> {
    await this.#syncs;
    this.assertUsable();
  }

  /** Somebody says that what the system shows is what the disk has. */
  trust(): void {
    this.#failure = undefined;
  }

  close(): void {
    this.#isClosed = true;
  }
}
