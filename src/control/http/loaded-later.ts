/** What is loaded when it is first needed. What cannot be, for want of descriptors just then, say, the next one tries again. */
export class LoadedLater<Loaded> {
  readonly #load: () => Promise<Loaded>;
  #loaded: Promise<Loaded> | undefined;

  constructor(load: () => Promise<Loaded>) {
    this.#load = load;
  }

  get(): Promise<Loaded> {
    this.#loaded ??= this.#load().catch((error: unknown) => {
      this.#loaded = undefined;
      throw error;
    });
    return this.#loaded;
  }
}
