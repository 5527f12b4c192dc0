/** A source of which a test decides, per write, whether it may be written at once. */
import type { DoneCallback } from "#src/host/block-device.ts";
import type { ExtentsCallback, Source } from "#src/interceptor/source.ts";
import { systemError } from "#test/sim/system-error.ts";

export class ReluctantSource implements Source {
  readonly #inner: Source;
  readonly #mayWriteNow: () => boolean;
  /** Overrules what the source can do. */
  trimReads: boolean | undefined;
  clears: boolean | undefined;
  /** Told of each write and clear that the source gets. */
  seen: (position: number, lengthBytes: number) => void = () => {};
  /** Reads, or writes, that wait until the test lets them. */
  heldReads: (() => void)[] | undefined;
  heldWrites: (() => void)[] | undefined;

  /** False: writes, and zeroes that keep their space, fail for want of it. */
  hasRoom = true;

  constructor(inner: Source, mayWriteNow: () => boolean) {
    this.#inner = inner;
    this.#mayWriteNow = mayWriteNow;
  }

  get sizeBytes(): number {
    return this.#inner.sizeBytes;
  }

  get rotational(): boolean {
    return this.#inner.rotational;
  }

  get minimumBytes(): number {
    return this.#inner.minimumBytes;
  }

  get isCached(): boolean {
    return this.#inner.isCached;
  }

  get trimReadsZeros(): boolean {
    return this.trimReads ?? this.#inner.trimReadsZeros;
  }

  clearsFast(keepSpace: boolean): boolean {
    return this.clears ?? this.#inner.clearsFast(keepSpace);
  }

  readIfCached(buffer: Buffer, start: number, lengthBytes: number, position: number): boolean {
    return this.heldReads === undefined && this.#inner.readIfCached(buffer, start, lengthBytes, position);
  }

  read(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void {
    const begin = (): void => this.#inner.read(buffer, start, lengthBytes, position, done);
    if (this.heldReads === undefined) begin();
    else this.heldReads.push(begin);
  }

  mayWriteNow(): boolean {
    return this.#mayWriteNow();
  }

  writeNow(buffer: Buffer, start: number, lengthBytes: number, position: number): void {
    this.seen(position, lengthBytes);
    if (!this.hasRoom) throw noRoom();
    this.#inner.writeNow(buffer, start, lengthBytes, position);
  }

  write(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void {
    this.seen(position, lengthBytes);
    if (!this.hasRoom) return done(noRoom());
    const begin = (): void => this.#inner.write(buffer, start, lengthBytes, position, done);
    if (this.heldWrites === undefined) begin();
    else this.heldWrites.push(begin);
  }

  clear(position: number, lengthBytes: number, keepSpace: boolean, done: DoneCallback): void {
    this.seen(position, lengthBytes);
    if (!this.hasRoom && keepSpace) return done(noRoom());
    this.#inner.clear(position, lengthBytes, keepSpace, done);
  }

  endClears(): void {
    this.#inner.endClears();
  }

  sync(done: DoneCallback): void {
    this.#inner.sync(done);
  }

  extents(position: number, lengthBytes: number, countMax: number, done: ExtentsCallback): void {
    this.#inner.extents(position, lengthBytes, countMax, done);
  }

  willNeed(position: number, lengthBytes: number): void {
    this.#inner.willNeed(position, lengthBytes);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

function noRoom(): Error {
  return systemError("ENOSPC", "the source is full");
}
