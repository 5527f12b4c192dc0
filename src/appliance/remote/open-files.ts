/** Keeps the number of groups with open files bounded: who has had them longest and has no work lets go of them. */
import { remoteOpenGroupCountMax } from "#src/core/limits.ts";

export interface FileHolder {
  /** False: they are needed. */
  releaseFiles(): boolean;
}

export class OpenFiles {
  readonly #countMax: number;
  /** The one that opened its files last is last. */
  readonly #holders = new Set<FileHolder>();

  constructor(countMax: number = remoteOpenGroupCountMax) {
    this.#countMax = countMax;
  }

  opened(holder: FileHolder): void {
    this.#holders.delete(holder);
    this.#holders.add(holder);
    for (const other of this.#holders) {
      if (this.#holders.size <= this.#countMax) return;
      if (other !== holder && other.releaseFiles()) this.#holders.delete(other);
    }
  }
}
