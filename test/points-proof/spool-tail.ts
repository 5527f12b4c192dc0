/**
 * Follows the spool of a group while it is written, and tells the heads of its records in their order: which seq each of them
 * was given. It reads the files as docs/formats.md has them, and no payload. Files are used again soon after the remote has
 * them, so whoever looks too seldom is told that records were missed.
 */
import fs from "node:fs";
import { isSummed } from "#test/oracle/byte-sum.ts";
import { filesUnder, le64 } from "#test/oracle/log-file-reader.ts";

export interface RecordHead {
  readonly seq: number;
  readonly type: number;
  readonly volume: number;
  readonly timeMicros: number;
  readonly startBlock: number;
  readonly blockCount: number;
  readonly extra: Readonly<Record<string, unknown>> | undefined;
}

const fileHeadBytes = 512;
const batchHeadBytes = 64;
const batchStepBytes = 512;
const recordHeadBytes = 40;
const sumBytes = 8;
const writeType = 1;

interface SpoolFile {
  readonly path: string;
  readonly incarnation: number;
  readonly base: number;
}

interface FoundBatch {
  readonly heads: readonly RecordHead[];
  readonly firstSeq: number;
  readonly spanBytes: number;
}

export class SpoolTail {
  readonly #folder: string;
  #file: SpoolFile | undefined;
  #at = fileHeadBytes;
  #nextSeq = 1;

  /** `folder`: all that the local appliance keeps, of a single group. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  get lastSeq(): number {
    return this.#nextSeq - 1;
  }

  /** What was written since the last call. */
  read(): RecordHead[] {
    const found: RecordHead[] = [];
    do {
      if (this.#file !== undefined) found.push(...this.#readFile(this.#file));
    } while (this.#goOn());
    return found;
  }

  /** To the next file, where there is one and this one is read to its end. */
  #goOn(): boolean {
    const base = this.#file?.base ?? -1;
    const later = filesUnder(this.#folder).flatMap((path) => spoolFile(path) ?? []);
    const next = later.filter((file) => file.base > base).sort((a, b) => a.base - b.base)[0];
    if (next === undefined) return false;
    const reading = openFile(next.path);
    if (reading === undefined) return false;
    const first = batchAt(reading, next, fileHeadBytes);
    fs.closeSync(reading);
    // Prepared, or half of its first batch: what follows here may still be in the file before it.
    if (first === undefined || first.firstSeq > this.#nextSeq) {
      if (first !== undefined && this.#hasMissed()) throw new Error(`seq ${this.#nextSeq} was missed`);
      return false;
    }
    this.#file = next;
    this.#at = fileHeadBytes;
    return true;
  }

  /** Whether the file that it stands in has become another one. */
  #hasMissed(): boolean {
    const file = this.#file;
    return file === undefined || spoolFile(file.path)?.base !== file.base;
  }

  #readFile(file: SpoolFile): RecordHead[] {
    const reading = openFile(file.path);
    if (reading === undefined) return [];
    try {
      const found: RecordHead[] = [];
      for (;;) {
        const batch = batchAt(reading, file, this.#at);
        if (batch === undefined) return found;
        if (batch.firstSeq !== this.#nextSeq) {
          throw new Error(`the spool goes on at seq ${batch.firstSeq}, and should at ${this.#nextSeq}`);
        }
        found.push(...batch.heads);
        this.#nextSeq += batch.heads.length;
        this.#at += Math.ceil(batch.spanBytes / batchStepBytes) * batchStepBytes;
      }
    } finally {
      fs.closeSync(reading);
    }
  }
}

function openFile(path: string): number | undefined {
  try {
    return fs.openSync(path, "r");
  } catch {
    return undefined;
  }
}

function bytesAt(file: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, fs.readSync(file, bytes, 0, length, at));
}

function spoolFile(path: string): SpoolFile | undefined {
  const file = openFile(path);
  if (file === undefined) return undefined;
  const bytes = bytesAt(file, 0, fileHeadBytes);
  fs.closeSync(file);
  if (bytes.length < fileHeadBytes || bytes.toString("latin1", 0, 4) !== "TMSP" || !isSummed(bytes, 0, 64, bytes, 64)) {
    return undefined;
  }
  return { path, incarnation: bytes.readUInt32LE(24), base: le64(bytes, 32) };
}

/** Undefined: there is none, or not all of it yet. */
function batchAt(reading: number, { incarnation, base }: SpoolFile, at: number): FoundBatch | undefined {
  const header = bytesAt(reading, at, batchHeadBytes);
  if (header.length < batchHeadBytes || header.toString("latin1", 0, 4) !== "TMB1") return undefined;
  if (!isSummed(header, 0, 56, header, 56)) return undefined;
  if (header.readUInt32LE(20) !== incarnation || le64(header, 32) !== base + at) return undefined;
  const payloadBytes = header.readUInt32LE(8);
  const headsBytes = header.readUInt32LE(12);
  const heads = bytesAt(reading, at + batchHeadBytes + payloadBytes, headsBytes);
  if (!isSummed(heads, 0, headsBytes, header, 48)) return undefined;
  const firstSeq = le64(header, 24);
  return {
    heads: headsIn(heads, header.readUInt16LE(4), firstSeq),
    firstSeq,
    spanBytes: batchHeadBytes + payloadBytes + headsBytes,
  };
}

function headsIn(bytes: Buffer, count: number, firstSeq: number): RecordHead[] {
  const heads: RecordHead[] = [];
  for (let index = 0, at = 0; index < count; index++) {
    const type = bytes.readUInt8(at);
    const blockCount = bytes.readUInt32LE(at + 32);
    const extraAt = at + recordHeadBytes + (type === writeType ? blockCount * sumBytes : 0);
    const extraBytes = bytes.readUInt16LE(at + 2);
    const volume = bytes.readUInt32LE(at + 4);
    const [timeMicros, startBlock] = [le64(bytes, at + 8), le64(bytes, at + 16)];
    const extra = extraOf(bytes.subarray(extraAt, extraAt + extraBytes));
    heads.push({ seq: firstSeq + index, type, volume, timeMicros, startBlock, blockCount, extra });
    at = extraAt + extraBytes;
  }
  return heads;
}

function extraOf(bytes: Buffer): Record<string, unknown> | undefined {
  if (bytes.length === 0) return undefined;
  const end = bytes.indexOf(0);
  return JSON.parse(bytes.toString("utf8", 0, end < 0 ? bytes.length : end)) as Record<string, unknown>;
}
