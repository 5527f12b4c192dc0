/** One file of a spool: what of the log lies in it, and how far it is synced. It is open only while it is used. */
import { assert } from "#src/core/assert.ts";
import { logFileHeaderBytes } from "#src/core/limits.ts";
import type { DoneCallback } from "#src/host/block-device.ts";
import type { FileHandle, Files, OpenMode } from "#src/host/files.ts";
import { type LogFileHeader, putLogFileHeader } from "#src/records/log-file.ts";

export class SpoolSegment {
  readonly path: string;
  readonly #files: Files;
  readonly #mode: OpenMode;
  #handle: FileHandle | undefined;
  #header: LogFileHeader | undefined;
  #endOffset = logFileHeaderBytes;
  #firstSeq = 0;
  #lastSeq = 0;
  /** Writes made so far, and of these the ones that a sync has covered. */
  #writeCount = 0;
  #syncedCount = 0;

  /** `handle`: it is open already. */
  constructor(files: Files, path: string, mode: OpenMode, handle?: FileHandle) {
    this.#files = files;
    this.path = path;
    this.#mode = mode;
    this.#handle = handle;
  }

  /** Only where it has a place in the log. */
  get header(): LogFileHeader {
    assert(this.#header !== undefined, "the segment has a place in the log");
    return this.#header;
  }

  get basePosition(): number {
    return this.header.basePosition;
  }

  /** Where the next batch goes. */
  get endOffset(): number {
    return this.#endOffset;
  }

  get endPosition(): number {
    return this.basePosition + this.#endOffset;
  }

  /** Of the first record in it; 0 as long as there is none. */
  get firstSeq(): number {
    return this.#firstSeq;
  }

  /** Of the last record in it; 0 as long as there is none. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** What its header says to be released. */
  get releasedSeq(): number {
    return this.header.releasedSeq;
  }

  get isDirty(): boolean {
    return this.#writeCount > this.#syncedCount;
  }

  /** Takes its place in the log, by a header that was just read from it. */
  place(header: LogFileHeader): void {
    this.#header = header;
    this.#endOffset = logFileHeaderBytes;
    this.#firstSeq = 0;
    this.#lastSeq = 0;
  }

  /** Takes a new place in the log; what was in it is gone. */
  begin(header: LogFileHeader): void {
    this.#writeHeader(header);
    this.place(header);
  }

  /** Stays where it is, and says from now on that more was released. */
  restate(releasedSeq: number): void {
    const header = { ...this.header, releasedSeq };
    this.#writeHeader(header);
    this.#header = header;
  }

  #writeHeader(header: LogFileHeader): void {
    const bytes = Buffer.alloc(logFileHeaderBytes);
    putLogFileHeader(bytes, 0, header);
    this.writeNow(bytes, 0, bytes.length, 0);
  }

  /** A batch lies behind the last one. */
  extend(spanBytes: number, firstSeq: number, lastSeq: number): void {
    assert(firstSeq > this.#lastSeq && lastSeq >= firstSeq, "seqs grow");
    if (this.#firstSeq === 0) this.#firstSeq = firstSeq;
    this.#lastSeq = lastSeq;
    this.#endOffset += spanBytes;
  }

  sizeBytesNow(): number {
    return this.#opened.sizeBytesNow();
  }

  readNow(buffer: Buffer, start: number, lengthBytes: number, offset: number): number {
    return this.#opened.readNow(buffer, start, lengthBytes, offset);
  }

  writeNow(buffer: Buffer, start: number, lengthBytes: number, offset: number): void {
    // Counted before it is tried: a write that fails may have been made in part.
    this.#writeCount++;
    this.#opened.writeNow(buffer, start, lengthBytes, offset);
  }

  /** What an earlier process wrote is synced by the next sync too. */
  markDirty(): void {
    this.#writeCount++;
  }

  sync(done: DoneCallback): void {
    const covered = this.#writeCount;
    this.#opened.sync((error) => {
      if (error === null) this.#syncedCount = Math.max(this.#syncedCount, covered);
      done(error);
    });
  }

  get #opened(): FileHandle {
    this.#handle ??= this.#files.open(this.path, this.#mode);
    return this.#handle;
  }

  /** It is opened again when it is needed. What is not synced must stay open: its errors are told to this handle. */
  closeIfClean(): void {
    if (!this.isDirty) this.close();
  }

  close(): void {
    this.#handle?.close();
    this.#handle = undefined;
  }
}
