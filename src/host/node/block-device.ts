/** A file or a block device of this machine as a `BlockDevice`. */
import fs from "node:fs";
import { getSystemErrorName } from "node:util";
import { assert } from "#src/core/assert.ts";
import { fitsInto } from "#src/core/byte-range.ts";
import type { BlockDevice, DoneCallback, Extent } from "../block-device.ts";
import { type DiskQueue, diskThreads } from "./disk-threads.ts";
import { GroupSync } from "./group-sync.ts";
import { errorNumber, libc } from "./libc.ts";

export interface OpenBlockDevice {
  readonly readOnly: boolean;
  /** Refuse to open for writing what another program holds: a mounted device, or a file that is opened so already. */
  readonly exclusive?: boolean;
}

export function openBlockDevice(path: string, options: OpenBlockDevice): BlockDevice {
  const exclusive = options.exclusive === true && !options.readOnly;
  // On a block device, and only there, the flag asks for what a mount has too.
  const exclusiveFlag = exclusive && fs.statSync(path).isBlockDevice() ? fs.constants.O_EXCL : 0;
  const fd = fs.openSync(path, options.readOnly ? fs.constants.O_RDONLY : fs.constants.O_RDWR | exclusiveFlag);
  try {
    if (exclusive && libc !== undefined && libc.lock(fd) === -errorNumber.tryAgain) {
      throw Object.assign(new Error(`${path} is in use by another program`), { code: "EBUSY" });
    }
    return new NodeBlockDevice(path, fd, options.readOnly);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

class NodeBlockDevice implements BlockDevice {
  readonly path: string;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  readonly rotational: boolean;
  readonly #fd: number;
  #knowsCached = libc !== undefined;
  #punches = libc !== undefined;
  #zeroes = libc !== undefined;
  readonly #disk: DiskQueue;
  readonly #syncs: GroupSync;
  #closed = false;
  #underWay = 0;

  constructor(path: string, fd: number, readOnly: boolean) {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile() && !stat.isBlockDevice()) throw new Error(`${path} is neither a file nor a block device`);
    const system = stat.isBlockDevice() ? blockDeviceFolder(stat.rdev) : undefined;
    this.path = path;
    this.readOnly = readOnly;
    this.sizeBytes = system === undefined ? stat.size : Number(fs.readFileSync(`${system}/size`, "utf8")) * 512;
    this.rotational = system !== undefined && isRotational(system);
    this.#fd = fd;
    // A block device that cannot zero by itself has the kernel write the zeros, and the thread wait for them.
    if (system !== undefined) this.#zeroes = false;
    this.#disk = diskThreads.queueOf(stat.isBlockDevice() ? stat.rdev : stat.dev);
    this.#syncs = new GroupSync(
      (done) => this.#inPool((finished) => fs.fdatasync(fd, finished), done),
      () => {},
    );
  }

  readNow(buffer: Buffer, start: number, lengthBytes: number, position: number): void {
    this.#checkRange(position, lengthBytes);
    let done = 0;
    while (done < lengthBytes) {
      const count = fs.readSync(this.#fd, buffer, start + done, lengthBytes - done, position + done);
      if (count === 0) throw endOfFile(this.path, position + done);
      done += count;
    }
  }

  writeNow(buffer: Buffer, start: number, lengthBytes: number, position: number): void {
    this.#checkRange(position, lengthBytes);
    let done = 0;
    while (done < lengthBytes) {
      const count = fs.writeSync(this.#fd, buffer, start + done, lengthBytes - done, position + done);
      if (count === 0) throw nothingWritten(this.path);
      done += count;
    }
  }

  readIfCached(buffer: Buffer, start: number, lengthBytes: number, position: number): boolean {
    this.#checkRange(position, lengthBytes);
    if (libc !== undefined && this.#knowsCached) {
      const result = libc.readNoWait(this.#fd, buffer, start, lengthBytes, position);
      if (result === lengthBytes) return true;
      // A short count is the cached part, zero the end of the file: both are for a read that may wait to sort out.
      if (result >= 0 || result === -errorNumber.tryAgain) return false;
      if (result !== -errorNumber.notSupported) throw systemError(result, "read", this.path);
      // Such a file system (tmpfs) has its data in memory anyway.
      this.#knowsCached = false;
    }
    this.readNow(buffer, start, lengthBytes, position);
    return true;
  }

  read(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void {
    this.#checkRange(position, lengthBytes);
    const next = (at: number, finished: DoneCallback): void => {
      fs.read(this.#fd, buffer, start + at, lengthBytes - at, position + at, (error, count) => {
        if (error === null && count > 0 && at + count < lengthBytes) return next(at + count, finished);
        finished(error ?? (count === 0 && lengthBytes > 0 ? endOfFile(this.path, position + at) : null));
      });
    };
    this.#inPool((finished) => next(0, finished), done);
  }

  write(buffer: Buffer, start: number, lengthBytes: number, position: number, done: DoneCallback): void {
    this.#checkRange(position, lengthBytes);
    const next = (at: number, finished: DoneCallback): void => {
      fs.write(this.#fd, buffer, start + at, lengthBytes - at, position + at, (error, count) => {
        if (error === null && count > 0 && at + count < lengthBytes) return next(at + count, finished);
        finished(error ?? (at + count < lengthBytes ? nothingWritten(this.path) : null));
      });
    };
    this.#inPool((finished) => next(0, finished), done);
  }

  /** Whoever asks has checked what its peer said: beyond the end a write would make the file longer. */
  #checkRange(position: number, lengthBytes: number): void {
    if (this.#closed) throw closedDevice(this.path);
    assert(fitsInto(this.sizeBytes, position, lengthBytes), "a transfer lies within the device");
  }

  sync(done: DoneCallback): void {
    if (this.#closed) {
      setImmediate(done, closedDevice(this.path));
      return;
    }
    this.#underWay++;
    this.#syncs.sync((error) => {
      done(error);
      this.#finished();
    });
  }

  /** Waits for a thread of its disk's, and keeps the descriptor open until it is through. */
  #inPool(work: (finished: DoneCallback) => void, done: DoneCallback): void {
    this.#underWay++;
    this.#disk.run((giveBack) =>
      work((error) => {
        giveBack();
        done(error);
        this.#finished();
      }),
    );
  }

  /** The descriptor is closed when nothing uses it any more. */
  #finished(): void {
    this.#underWay--;
    if (this.#closed && this.#underWay === 0) fs.closeSync(this.#fd);
  }

  punchHoleNow(position: number, lengthBytes: number): boolean {
    this.#checkRange(position, lengthBytes);
    if (libc === undefined || !this.#punches) return false;
    const result = libc.punchHole(this.#fd, position, lengthBytes);
    if (result === -errorNumber.notSupported) this.#punches = false;
    return this.#changed(result, "punch hole");
  }

  zeroRangeNow(position: number, lengthBytes: number): boolean {
    this.#checkRange(position, lengthBytes);
    if (libc === undefined || !this.#zeroes) return false;
    const result = libc.zeroRange(this.#fd, position, lengthBytes);
    if (result === -errorNumber.notSupported) this.#zeroes = false;
    return this.#changed(result, "zero range");
  }

  #changed(result: number, what: string): boolean {
    if (result >= 0) return true;
    // A block device refuses what its own block size does not divide.
    if (result === -errorNumber.notSupported || result === -errorNumber.invalid) return false;
    throw systemError(result, what, this.path);
  }

  extentsNow(position: number, lengthBytes: number, countMax: number): Extent[] {
    this.#checkRange(position, lengthBytes);
    const end = position + lengthBytes;
    const extents: Extent[] = [];
    let at = position;
    while (at < end && extents.length < countMax) {
      const dataAt = Math.min(this.#seek("data", at), end);
      const hole = dataAt > at;
      const next = hole ? dataAt : Math.min(this.#seek("hole", at), end);
      extents.push({ lengthBytes: next - at, hole, zero: hole });
      at = next;
    }
    return extents;
  }

  /** Where the next data or hole begins; without such knowledge everything is data. */
  #seek(what: "data" | "hole", position: number): number {
    if (libc === undefined) return what === "data" ? position : this.sizeBytes;
    const result = what === "data" ? libc.nextData(this.#fd, position) : libc.nextHole(this.#fd, position);
    if (result === -errorNumber.noDevice) return this.sizeBytes;
    if (result === -errorNumber.invalid) return what === "data" ? position : this.sizeBytes;
    if (result < 0) throw systemError(result, `seek ${what}`, this.path);
    return result;
  }

  willNeed(position: number, lengthBytes: number): void {
    this.#checkRange(position, lengthBytes);
    libc?.willNeed(this.#fd, position, lengthBytes);
  }

  close(): void {
    this.#underWay++;
    this.#closed = true;
    this.#finished();
  }
}

function blockDeviceFolder(device: number): string {
  const major = ((device >> 8) & 0xfff) | (Math.floor(device / 2 ** 32) & ~0xfff);
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  return `/sys/dev/block/${major}:${minor}`;
}

/** A partition has no queue of its own: its disk's is one folder up. */
function isRotational(folder: string): boolean {
  for (const file of [`${folder}/queue/rotational`, `${folder}/../queue/rotational`]) {
    if (fs.existsSync(file)) return fs.readFileSync(file, "utf8").trim() === "1";
  }
  return false;
}

/** Work in pieces may go on when its server has ended; the descriptor's number may be another file's by then. */
function closedDevice(path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${path} was closed`), { code: "EBADF" });
}

function nothingWritten(path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${path} takes no more bytes, and gives no reason`), { code: "EIO" });
}

function endOfFile(path: string, position: number): NodeJS.ErrnoException {
  return Object.assign(new Error(`${path} ends at or before byte ${position}: it became shorter while in use`), {
    code: "EIO",
  });
}

function systemError(result: number, what: string, path: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(result);
  return Object.assign(new Error(`${what} failed on ${path}: ${code}`), { code });
}
