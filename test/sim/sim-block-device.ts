/** The block device port over a file of a simulated disk. */
import { assert } from "#src/core/assert.ts";
import { alignDown, fitsInto } from "#src/core/byte-range.ts";
import type { BlockDevice, DoneCallback, Extent } from "#src/host/block-device.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { SimFile } from "./sim-file.ts";
import { sparseBlockBytes } from "./sparse-bytes.ts";
import { systemError } from "./system-error.ts";

export class SimBlockDevice implements BlockDevice {
  readonly path: string;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  readonly rotational = false;
  readonly #disk: SimDisk;
  readonly #file: SimFile;
  readonly #life: number;
  readonly #failuresKnown: number;
  #closed = false;

  constructor(disk: SimDisk, path: string, options: { readonly readOnly: boolean }) {
    this.#disk = disk;
    this.#file = disk.fileAt(path);
    this.path = path;
    this.sizeBytes = this.#file.current.sizeBytes;
    this.readOnly = options.readOnly;
    this.#life = disk.life;
    this.#failuresKnown = this.#file.syncFailureCount;
    disk.addHandle(this.#file);
  }

  readNow(buffer: Buffer, start: number, lengthBytes: number, position: number): void {
    this.#assertFits(position, lengthBytes);
    this.#readWhole(buffer, start, lengthBytes, position);
  }

  #readWhole(buffer: Buffer, start: number, lengthBytes: number, position: number): void {
    const count = this.#disk.readNow(this.#file, buffer, start, lengthBytes, position);
    if (count < lengthBytes) throw systemError("EIO", `${this.path} became shorter while in use`);
  }

  writeNow(buffer: Buffer, start: number, lengthBytes: number, position: number): void {
    this.#assertFits(position, lengthBytes);
    if (this.readOnly) throw systemError("EBADF", this.path);
    this.#disk.note(`write ${this.path} ${position}+${lengthBytes}`);
    this.#disk.writeNow(this.#file, buffer.subarray(start, start + lengthBytes), position);
  }

  readIfCached(buffer: Buffer, start: number, lengthBytes: number, position: number): boolean {
    if (this.#disk.isCold()) return false;
    this.readNow(buffer, start, lengthBytes, position);
    return true;
  }

  read(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void {
    this.#assertFits(position, lengthBytes);
    this.#disk.read(this.#life, () => this.#readWhole(buffer, start, lengthBytes, position), done);
  }

  write(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void {
    this.#assertFits(position, lengthBytes);
    this.#disk.note(`write ${this.path} ${position}+${lengthBytes} begins`);
    const source = buffer.subarray(start, start + lengthBytes);
    this.#disk.write(this.#life, this.readOnly ? undefined : this.#file, source, position, done);
  }

  sync(done: DoneCallback): void {
    this.#assertUsable();
    this.#disk.sync(this.#life, this.#file, this.#failuresKnown, done);
  }

  punchHoleNow(position: number, lengthBytes: number): boolean {
    this.#zero(position, lengthBytes, false);
    return true;
  }

  zeroRangeNow(position: number, lengthBytes: number): boolean {
    this.#zero(position, lengthBytes, true);
    return true;
  }

  #zero(position: number, lengthBytes: number, keepSpace: boolean): void {
    this.#assertFits(position, lengthBytes);
    if (this.readOnly) throw systemError("EBADF", this.path);
    this.#disk.note(`zero ${this.path} ${position}+${lengthBytes}`);
    this.#disk.changeNow(this.#file, { kind: "zero", position, lengthBytes, keepSpace });
  }

  extentsNow(position: number, lengthBytes: number, countMax: number): Extent[] {
    this.#assertFits(position, lengthBytes);
    const end = position + lengthBytes;
    const extents: Extent[] = [];
    for (let at = position; at < end && extents.length < countMax; ) {
      const kind = this.#file.current.kindAt(at);
      const start = at;
      while (at < end && this.#file.current.kindAt(at) === kind)
        at = alignDown(at, sparseBlockBytes) + sparseBlockBytes;
      at = Math.min(at, end);
      extents.push({ lengthBytes: at - start, hole: kind === "hole", zero: kind !== "data" });
    }
    return extents;
  }

  willNeed(position: number, lengthBytes: number): void {
    this.#assertFits(position, lengthBytes);
  }

  close(): void {
    this.#assertUsable();
    this.#closed = true;
    this.#disk.dropHandle(this.#file);
  }

  #assertFits(position: number, lengthBytes: number): void {
    this.#assertUsable();
    assert(fitsInto(this.sizeBytes, position, lengthBytes), "a range lies within its device");
  }

  #assertUsable(): void {
    assert(!this.#closed, `${this.path} is used after it was closed`);
    this.#disk.assertAlive(this.#life);
  }
}
