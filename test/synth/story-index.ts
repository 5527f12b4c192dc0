/** The index of a story's store, which can be lost, or be put back as it was a while ago. */
import type { Files } from "#src/host/files.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { indexFolder } from "./story-store.ts";

export class StoryIndex {
  readonly #files: Files;
  #old: ReadonlyMap<string, Buffer> | undefined;

  constructor(files: Files) {
    this.#files = files;
  }

  keep(): void {
    const kept = new Map<string, Buffer>();
    for (const name of this.#files.list(indexFolder)) {
      const handle = this.#files.open(`${indexFolder}/${name}`, "read");
      const bytes = Buffer.alloc(handle.sizeBytesNow());
      handle.readNow(bytes, 0, bytes.length, 0);
      handle.close();
      kept.set(name, bytes);
    }
    this.#old = kept;
  }

  clear(): void {
    for (const name of this.#files.list(indexFolder)) this.#files.remove(`${indexFolder}/${name}`);
  }

  losePerhaps(random: SeededRandom): void {
    if (!random.chance(0.3)) return;
    this.clear();
    if (this.#old === undefined || random.chance(0.5)) return;
    for (const [name, bytes] of this.#old) {
      const handle = this.#files.create(`${indexFolder}/${name}`);
      handle.writeNow(bytes, 0, bytes.length, 0);
      handle.close();
    }
  }
}
