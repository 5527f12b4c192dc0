/** A store in memory whose bytes may be changed by whoever tests what comes of it. */
import { RefuseError } from "#src/core/errors.ts";
import {
  AbsentObjectError,
  type ObjectInfo,
  type ObjectName,
  type Objects,
  type ObjectWriter,
  type VersionedDocument,
} from "#src/store/objects.ts";

export class FlippableStore implements Objects {
  /** Objects and documents, by their names. */
  readonly bytes = new Map<ObjectName, Buffer>();
  /** Reading a range that has such a byte fails as a disk does. */
  readonly failures = new Map<ObjectName, { readonly at: number; readonly error: () => Error }>();
  /** What was there under these names. */
  readonly removed = new Map<ObjectName, Buffer>();
  readBytes = 0;
  #versionCount = 0;
  readonly #versions = new Map<ObjectName, string>();

  /** Another one with the same content. */
  copy(): FlippableStore {
    const store = new FlippableStore();
    for (const [name, bytes] of this.bytes) store.bytes.set(name, Buffer.from(bytes));
    return store;
  }

  flip(name: ObjectName, bit: number): void {
    const bytes = this.#of(name);
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
  }

  create(name: ObjectName): ObjectWriter {
    return this.#writer(name, () => {
      if (this.bytes.has(name)) throw new RefuseError(`there is an object ${name} already`);
    });
  }

  restore(name: ObjectName): ObjectWriter {
    return this.#writer(name, () => {
      if (!this.bytes.has(name)) throw new RefuseError(`there is no object ${name} to be restored`);
    });
  }

  #writer(name: ObjectName, check: () => void): ObjectWriter {
    const pieces: Buffer[] = [];
    return {
      get writtenBytes() {
        return pieces.reduce((sum, piece) => sum + piece.length, 0);
      },
      write: async (bytes) => {
        pieces.push(Buffer.from(bytes));
      },
      finish: async () => {
        check();
        this.bytes.set(name, Buffer.concat(pieces));
      },
      abandon: async () => {},
    };
  }

  async read(name: ObjectName, target: Buffer, position: number): Promise<number> {
    const failure = this.failures.get(name);
    if (failure !== undefined && failure.at >= position && failure.at < position + target.length) throw failure.error();
    const readBytes = this.#of(name).copy(target, 0, Math.min(position, this.#of(name).length));
    this.readBytes += readBytes;
    return readBytes;
  }

  async sizeBytes(name: ObjectName): Promise<number> {
    return this.#of(name).length;
  }

  #of(name: ObjectName): Buffer {
    const bytes = this.bytes.get(name);
    if (bytes === undefined) throw new AbsentObjectError(name);
    return bytes;
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    const names = [...this.bytes.keys()].filter((name) => name.startsWith(prefix) && !name.endsWith(".json")).sort();
    for (const name of names) {
      const bytes = this.bytes.get(name);
      if (bytes !== undefined) yield { name, sizeBytes: bytes.length };
    }
  }

  async remove(name: ObjectName): Promise<void> {
    const bytes = this.bytes.get(name);
    if (bytes !== undefined) this.removed.set(name, bytes);
    this.bytes.delete(name);
  }

  async readDocument(name: ObjectName): Promise<VersionedDocument | undefined> {
    const bytes = this.bytes.get(name);
    return bytes === undefined ? undefined : { bytes: Buffer.from(bytes), version: this.#versionOf(name) };
  }

  async changeDocument(name: ObjectName, bytes: Buffer, version: string | undefined): Promise<string | undefined> {
    const current = this.bytes.has(name) ? this.#versionOf(name) : undefined;
    if (current !== version) return undefined;
    this.bytes.set(name, Buffer.from(bytes));
    this.#versions.set(name, String(++this.#versionCount));
    return this.#versionOf(name);
  }

  #versionOf(name: ObjectName): string {
    return this.#versions.get(name) ?? "0";
  }

  async close(): Promise<void> {}
}
