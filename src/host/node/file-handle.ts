/** An open file of this machine. */
import type fs from "node:fs";
import { assert } from "#src/core/assert.ts";
import { byteLengthOf, withoutFirst } from "#src/core/pieces.ts";
import type { DoneCallback } from "../block-device.ts";
import type { FileHandle } from "../files.ts";
import { GroupSync } from "./group-sync.ts";

/** The calls that may do less than they were asked to, so that tests can make them do so. */
export type FileCalls = Pick<
  typeof fs,
  "readSync" | "writeSync" | "writevSync" | "fstatSync" | "ftruncateSync" | "fdatasync" | "closeSync"
>;

export class NodeFileHandle implements FileHandle {
  readonly path: string;
  readonly #fd: number;
  readonly #calls: FileCalls;
  readonly #syncs: GroupSync;
  #closed = false;

  constructor(path: string, fd: number, calls: FileCalls) {
    this.path = path;
    this.#fd = fd;
    this.#calls = calls;
    this.#syncs = new GroupSync(
      (done) => calls.fdatasync(fd, done),
      () => {
        if (this.#closed) calls.closeSync(fd);
      },
    );
  }

  sizeBytesNow(): number {
    this.#assertOpen();
    return this.#calls.fstatSync(this.#fd).size;
  }

  readNow(buffer: Buffer, start: number, lengthBytes: number, position: number): number {
    this.#assertOpen();
    let done = 0;
    while (done < lengthBytes) {
      const count = this.#calls.readSync(this.#fd, buffer, start + done, lengthBytes - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  writeNow(buffer: Buffer, start: number, lengthBytes: number, position: number): void {
    this.#assertOpen();
    let done = 0;
    while (done < lengthBytes) {
      const count = this.#calls.writeSync(this.#fd, buffer, start + done, lengthBytes - done, position + done);
      if (count === 0) throw nothingWritten(this.path);
      done += count;
    }
  }

  writevNow(pieces: readonly Buffer[], position: number): void {
    this.#assertOpen();
    let left = pieces;
    let at = position;
    while (byteLengthOf(left) > 0) {
      const count = this.#calls.writevSync(this.#fd, left, at);
      if (count === 0) throw nothingWritten(this.path);
      left = withoutFirst(left, count);
      at += count;
    }
  }

  truncateNow(sizeBytes: number): void {
    this.#assertOpen();
    this.#calls.ftruncateSync(this.#fd, sizeBytes);
  }

  sync(done: DoneCallback): void {
    this.#assertOpen();
    this.#syncs.sync(done);
  }

  /** The number of a descriptor that is closed may be given to another file, which a running sync must not meet. */
  close(): void {
    this.#assertOpen();
    this.#closed = true;
    if (!this.#syncs.running) this.#calls.closeSync(this.#fd);
  }

  #assertOpen(): void {
    assert(!this.#closed, `${this.path} is used after it was closed`);
  }
}

/** Trying the same again could go on for ever. */
function nothingWritten(path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`the system wrote nothing to ${path} and named no reason`), { code: "EIO" });
}
