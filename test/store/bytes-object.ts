/** One object in memory: what a builder writes, and what its reader reads; its bytes may be changed between the two. */
import type { ObjectSource } from "#src/store/object-ends.ts";
import type { ObjectWriter } from "#src/store/objects.ts";

export class BytesObject implements ObjectWriter, ObjectSource {
  bytes = Buffer.alloc(0);
  readonly writes: number[] = [];
  isFinished = false;
  isAbandoned = false;

  get writtenBytes(): number {
    return this.bytes.length;
  }

  async write(bytes: Buffer): Promise<void> {
    this.writes.push(bytes.length);
    this.bytes = Buffer.concat([this.bytes, bytes]);
  }

  async finish(): Promise<void> {
    this.isFinished = true;
  }

  async abandon(): Promise<void> {
    this.isAbandoned = true;
  }

  async read(_name: string, target: Buffer, position: number): Promise<number> {
    return this.bytes.copy(target, 0, Math.min(position, this.bytes.length));
  }

  async sizeBytes(): Promise<number> {
    return this.bytes.length;
  }
}
