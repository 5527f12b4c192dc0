/** What was asked for lately, by name, so many of them; what failed is asked for anew. */
export class LatestPromises<Result> {
  readonly #countMax: number;
  /** The one asked for last is last. */
  readonly #promises = new Map<string, Promise<Result>>();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get(name: string, make: () => Promise<Result>): Promise<Result> {
    const known = this.#promises.get(name);
    const promise = known ?? make();
    this.#promises.delete(name);
    this.#promises.set(name, promise);
    if (known !== undefined) return known;
    promise.catch(() => {
      if (this.#promises.get(name) === promise) this.#promises.delete(name);
    });
    for (const oldest of this.#promises.keys()) {
      if (this.#promises.size <= this.#countMax) break;
      this.#promises.delete(oldest);
    }
    return promise;
  }

  get count(): number {
    return this.#promises.size;
  }

  /** Those with other names are let go of, but not by who has one already. */
  keepOnly(isWanted: (name: string) => boolean): void {
    for (const name of this.#promises.keys()) if (!isWanted(name)) this.#promises.delete(name);
  }

  /** The next who asks gets it made anew. */
  drop(name: string): void {
    this.#promises.delete(name);
  }

  clear(): void {
    this.#promises.clear();
  }
}
