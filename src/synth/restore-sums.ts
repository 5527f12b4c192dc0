/**
 * What a restore has done, durably: for each stretch of the target the sum of what was put there, in a file of its own. Nobody
 * has to believe it: whoever goes on reads the target, and copies again what has another sum. So it does not matter in which
 * order target and file reached their disks (docs/formats.md, "What is noted of a restore").
 */
import { assert } from "#src/core/assert.ts";
import { putLe16 } from "#src/core/little-endian.ts";
import { checksumBytes, putChecksum } from "#src/host/checksum.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { whenDone } from "#src/host/when-done.ts";

export const restoreIdentityBytes = 32;
const magic = "TMRS";
const version = 1;
const identityAt = 8;
const headerBytes = identityAt + restoreIdentityBytes + checksumBytes;
const notDone = Buffer.alloc(checksumBytes);

export class RestoreSums {
  readonly #handle: FileHandle;
  readonly #sums: Buffer;
  /** What was put since the last sync. */
  #firstNew = Number.POSITIVE_INFINITY;
  #lastNew = -1;

  private constructor(handle: FileHandle, sums: Buffer) {
    this.#handle = handle;
    this.#sums = sums;
  }

  /** Of another restore, of another version, or cut short: it begins anew. `identity` has `restoreIdentityBytes`. */
  static open(files: Files, path: string, identity: Buffer, stretchCount: number): RestoreSums {
    assert(identity.length === restoreIdentityBytes, "an identity has its length");
    const handle = files.exists(path) ? files.open(path, "readWrite") : files.create(path);
    const whole = Buffer.alloc(headerBytes + stretchCount * checksumBytes);
    const found = handle.sizeBytesNow() === whole.length && handle.readNow(whole, 0, whole.length, 0) === whole.length;
    const header = headerOf(identity);
    if (!found || !whole.subarray(0, headerBytes).equals(header)) {
      whole.fill(0);
      header.copy(whole);
      handle.truncateNow(0);
      handle.writeNow(whole, 0, whole.length, 0);
    }
    return new RestoreSums(handle, whole.subarray(headerBytes));
  }

  get stretchCount(): number {
    return this.#sums.length / checksumBytes;
  }

  isDone(stretch: number): boolean {
    return !this.sum(stretch).equals(notDone);
  }

  sum(stretch: number): Buffer {
    return this.#sums.subarray(stretch * checksumBytes, (stretch + 1) * checksumBytes);
  }

  put(stretch: number, sum: Buffer): void {
    sum.copy(this.#sums, stretch * checksumBytes);
    // One in 2^64 looks as if it were not done, and is done again.
    this.#firstNew = Math.min(this.#firstNew, stretch);
    this.#lastNew = Math.max(this.#lastNew, stretch);
  }

  /** It is to be copied again. */
  forget(stretch: number): void {
    this.put(stretch, notDone);
  }

  /** What was put is durable when this resolves. */
  async sync(): Promise<void> {
    if (this.#lastNew < 0) return;
    const [start, end] = [this.#firstNew * checksumBytes, (this.#lastNew + 1) * checksumBytes];
    [this.#firstNew, this.#lastNew] = [Number.POSITIVE_INFINITY, -1];
    this.#handle.writeNow(this.#sums, start, end - start, headerBytes + start);
    await whenDone((done) => this.#handle.sync(done));
  }

  close(): void {
    this.#handle.close();
  }
}

function headerOf(identity: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.write(magic, "latin1");
  putLe16(header, magic.length, version);
  identity.copy(header, identityAt);
  putChecksum(header, 0, headerBytes - checksumBytes, header, headerBytes - checksumBytes);
  return header;
}
