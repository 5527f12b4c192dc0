/** The changes under way, and the objects of those that were, to be used again. */
import type { ExportRequest } from "#src/nbd/export.ts";
import { type ChangeHandler, HostChange } from "./host-change.ts";

/** Objects that are kept to be used again. */
const freeCountMax = 1024;

export class ChangeRegistry {
  readonly #handler: ChangeHandler;
  readonly #active: HostChange[] = [];
  readonly #free: HostChange[] = [];
  #emptied: (() => void) | undefined;

  constructor(handler: ChangeHandler) {
    this.#handler = handler;
  }

  get count(): number {
    return this.#active.length;
  }

  enter(request: ExportRequest, sizeBytes: number): HostChange {
    const change = this.#free.pop() ?? new HostChange(this.#handler);
    change.take(request, sizeBytes);
    change.index = this.#active.length;
    this.#active.push(change);
    return change;
  }

  /** The change is in the source, or has failed; it may still wait for a flush. */
  leave(change: HostChange): void {
    const last = this.#active.pop() as HostChange;
    if (last !== change) {
      this.#active[change.index] = last;
      last.index = change.index;
    }
    change.index = -1;
    if (this.#active.length === 0) this.wakeWaiter();
  }

  /** Its request was answered. */
  free(change: HostChange): void {
    if (this.#free.length < freeCountMax) this.#free.push(change);
  }

  failAll(error: number): void {
    for (const change of this.#active.splice(0)) {
      const { request } = change;
      change.request = undefined;
      change.index = -1;
      request?.complete(error);
    }
    this.wakeWaiter();
  }

  /** Resolves when nothing is under way, or when `wakeWaiter` is called. */
  async emptied(): Promise<void> {
    if (this.#active.length === 0) return;
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
  }

  wakeWaiter(): void {
    this.#emptied?.();
  }
}
