/** Objects in memory of a service that writes some of them otherwise than it was told, and says nothing. */
import type { ObjectWriter } from "#src/store/objects.ts";
import { MemoryObjects } from "./memory-objects.ts";

export class SpoiledObjects extends MemoryObjects {
  /** So many segments from now on. */
  spoilCount = 0;
  /** From where on. Below 0: counted from the end. */
  spoilAt = 200;

  override create(name: string): ObjectWriter {
    const writer = super.create(name);
    if (this.spoilCount === 0 || !name.startsWith("segments/")) return writer;
    this.spoilCount--;
    const { finish } = writer;
    writer.finish = async () => {
      await finish();
      this.spoil(name);
    };
    return writer;
  }

  /** Below 0: counted from the end. */
  spoil(name: string, at = this.spoilAt): void {
    const bytes = Buffer.from(this.contents.get(name) as Buffer);
    const start = at < 0 ? bytes.length + at : at;
    for (let byte = start; byte < start + spoiltBytes; byte++) bytes[byte] = (bytes[byte] as number) ^ 0xff;
    this.contents.set(name, bytes);
  }
}

const spoiltBytes = 16;
