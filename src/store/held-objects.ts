/**
 * Objects of a store that one appliance holds, as long as it does: before anything goes, an object is published or a document
 * is changed, it is looked who holds it. An appliance may hang for long, and somebody else take the store meanwhile; what it
 * was about to remove may be needed by then, and a piece of a journal that it adds would be taken for the new one's history.
 *
 * A look and a publication are not one step. So it is looked again behind it: whoever lost the store in between hears that it
 * failed, and removes nothing of what he has. What he has published so late is told from the other one's by segment numbers,
 * and by the chain of hashes.
 */
import type { ObjectInfo, ObjectName, Objects, ObjectWriter, VersionedDocument } from "./objects.ts";
import type { SpaceReserve } from "./space-reserve.ts";
import { heldByAnother, readStoreHolder } from "./store-holder.ts";

export class HeldObjects implements Objects {
  readonly #objects: Objects;
  readonly #holder: string;

  constructor(objects: Objects, holder: string) {
    this.#objects = objects;
    this.#holder = holder;
  }

  /** Throws a `StopError` where somebody else has the store. */
  async #assertHeld(): Promise<void> {
    const found = await readStoreHolder(this.#objects);
    if (found !== undefined && found.holder !== this.#holder) throw heldByAnother(found);
  }

  async remove(name: ObjectName): Promise<void> {
    await this.#assertHeld();
    await this.#objects.remove(name);
  }

  async changeDocument(name: ObjectName, bytes: Buffer, version: string | undefined): Promise<string | undefined> {
    await this.#assertHeld();
    return await this.#objects.changeDocument(name, bytes, version);
  }

  create(name: ObjectName, reserve?: SpaceReserve): ObjectWriter {
    return this.#whileHeld(this.#objects.create(name, reserve));
  }

  restore(name: ObjectName): ObjectWriter {
    return this.#whileHeld(this.#objects.restore(name));
  }

  #whileHeld(writer: ObjectWriter): ObjectWriter {
    return {
      get writtenBytes() {
        return writer.writtenBytes;
      },
      write: (bytes) => writer.write(bytes),
      finish: async () => {
        await this.#assertHeld();
        await writer.finish();
        await this.#assertHeld();
      },
      abandon: () => writer.abandon(),
    };
  }

  read(name: ObjectName, target: Buffer, position: number): Promise<number> {
    return this.#objects.read(name, target, position);
  }

  readNow(name: ObjectName, target: Buffer, byteLength: number, position: number): number | undefined {
    return this.#objects.readNow?.(name, target, byteLength, position);
  }

  sizeBytes(name: ObjectName): Promise<number> {
    return this.#objects.sizeBytes(name);
  }

  list(prefix: string): AsyncIterable<ObjectInfo> {
    return this.#objects.list(prefix);
  }

  readDocument(name: ObjectName): Promise<VersionedDocument | undefined> {
    return this.#objects.readDocument(name);
  }

  close(): Promise<void> {
    return this.#objects.close();
  }
}
