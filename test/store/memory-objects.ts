/** Objects in memory: what tests use that are about what is in the objects, many times over. */
import { RefuseError } from "#src/core/errors.ts";
import { checkDocumentName, checkObjectName, checkPrefix } from "#src/store/object-name.ts";
import {
  AbsentObjectError,
  type ObjectInfo,
  type Objects,
  type ObjectWriter,
  type VersionedDocument,
} from "#src/store/objects.ts";

export class MemoryObjects implements Objects {
  readonly contents = new Map<string, Buffer>();
  readonly #documents = new Map<string, Buffer>();

  create(name: string): ObjectWriter {
    checkObjectName(name);
    return this.#writer((bytes) => {
      if (this.contents.has(name)) throw new RefuseError(`there is an object ${name} already`);
      this.contents.set(name, bytes);
    });
  }

  restore(name: string): ObjectWriter {
    checkObjectName(name);
    return this.#writer((bytes) => {
      if (!this.contents.has(name)) throw new RefuseError(`there is no object ${name} to be restored`);
      this.contents.set(name, bytes);
    });
  }

  #writer(publish: (bytes: Buffer) => void): ObjectWriter {
    const pieces: Buffer[] = [];
    let writtenBytes = 0;
    return {
      get writtenBytes() {
        return writtenBytes;
      },
      write: async (bytes) => {
        pieces.push(Buffer.from(bytes));
        writtenBytes += bytes.length;
      },
      finish: async () => publish(Buffer.concat(pieces)),
      abandon: async () => {},
    };
  }

  async read(name: string, target: Buffer, position: number): Promise<number> {
    const bytes = this.#bytesOf(name);
    return bytes.copy(target, 0, Math.min(position, bytes.length));
  }

  async sizeBytes(name: string): Promise<number> {
    return this.#bytesOf(name).length;
  }

  #bytesOf(name: string): Buffer {
    checkObjectName(name);
    const bytes = this.contents.get(name);
    if (bytes === undefined) throw new AbsentObjectError(name);
    return bytes;
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo, void> {
    checkPrefix(prefix);
    for (const name of [...this.contents.keys()].sort()) {
      const bytes = this.contents.get(name);
      if (bytes !== undefined && name.startsWith(prefix)) yield { name, sizeBytes: bytes.length };
    }
  }

  async remove(name: string): Promise<void> {
    checkObjectName(name);
    this.contents.delete(name);
  }

  async readDocument(name: string): Promise<VersionedDocument | undefined> {
    checkDocumentName(name);
    const bytes = this.#documents.get(name);
    return bytes === undefined ? undefined : { bytes: Buffer.from(bytes), version: bytes.toString("latin1") };
  }

  async changeDocument(name: string, bytes: Buffer, version: string | undefined): Promise<string | undefined> {
    if ((await this.readDocument(name))?.version !== version) return undefined;
    this.#documents.set(name, Buffer.from(bytes));
    return bytes.toString("latin1");
  }

  async close(): Promise<void> {}
}
