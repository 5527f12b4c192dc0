/** Keeps the number of groups with open files bounded: who opened them longest ago lets go of them. */

export interface FileHolder {
  /** They are opened again when they are needed. */
  releaseFiles(): void;
}

export class OpenFiles {
  readonly #countMax: number;
  /** The one that opened its files last is last. */
  readonly #holders = new Set<FileHolder>();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  opened(holder: FileHolder): void {
    this.#holders.delete(holder);
    this.#holders.add(holder);
    for (const oldest of this.#holders) {
      if (this.#holders.size <= this.#countMax) return;
      this.#holders.delete(oldest);
      oldest.releaseFiles();
    }
  }
}
