/**
 * Reads the files of spools and metadata journals as docs/formats.md describes them, with nothing of the product's code:
 * what the two disagree on is a fault of one of them. Damage is an error here; a torn tail ends the log.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isSummed } from "./byte-sum.ts";

export type LogKind = "spool" | "metadata";

const fileMagic: Readonly<Record<LogKind, string>> = { spool: "TMSP", metadata: "TMMP" };
const aggregateMagic = "TMN1";
const batchMagics: Readonly<Record<LogKind, readonly string[]>> = {
  spool: ["TMB1"],
  metadata: ["TMM1", aggregateMagic],
};
const fileHeaderBytes = 512;
const batchHeaderBytes = 64;
const batchStepBytes = 512;

export const typeNumber = {
  write: 1,
  trim: 2,
  zero: 3,
  flush: 4,
  mode: 6,
  resize: 8,
  aggregate: 9,
  epoch: 10,
  clock: 11,
  resyncBegin: 12,
  resyncEnd: 13,
  initialComplete: 14,
  volume: 15,
};

export interface Batch {
  /** One of those that an aggregate is made of; `firstSeq` is the first that it stands for. */
  readonly isOfAggregate: boolean;
  readonly epoch: number;
  readonly firstSeq: number;
  readonly recordCount: number;
  readonly payload: Buffer;
  readonly heads: Buffer;
}

export interface LogFile {
  readonly path: string;
  readonly kind: LogKind;
  /** Hexadecimal. */
  readonly group: string;
  readonly incarnation: number;
  readonly base: number;
  readonly fullBytes: number;
  readonly firstSeq: number;
  readonly releasedSeq: number;
  /** Up to the first place where none lies. */
  readonly batches: readonly Batch[];
  /** What any batch in the file, also behind that place, says was durable. */
  readonly claimedSeq: number;
}

type LogFileHeader = Omit<LogFile, "batches" | "claimedSeq">;

export function le64(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`a number of ${value} is too large`);
  return Number(value);
}

/** All files under a folder, without those that are being written under another name, and may be gone by now. */
export function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".unpublished"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Undefined: it has gone. Whoever removes files of logs stands still while they are read; who keeps the store's index does not. */
function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Undefined: a file of another kind, or one that was never begun. */
export function readLogFile(path: string, kind: LogKind): LogFile | undefined {
  const bytes = contentOf(path);
  if (bytes === undefined || bytes.length < fileHeaderBytes || bytes.toString("latin1", 0, 4) !== fileMagic[kind])
    return undefined;
  if (!isSummed(bytes, 0, 64, bytes, 64)) return undefined;
  if (bytes.readUInt16LE(4) !== 1) throw new Error(`${path} has another version`);
  const file = {
    path,
    kind,
    group: bytes.toString("hex", 8, 24),
    incarnation: bytes.readUInt32LE(24),
    base: le64(bytes, 32),
    fullBytes: le64(bytes, 40),
    firstSeq: le64(bytes, 48),
    releasedSeq: le64(bytes, 56),
  };
  if (file.base % file.fullBytes !== 0) throw new Error(`${path} begins at ${file.base}, no multiple of its size`);
  return { ...file, batches: readBatches(bytes, file), claimedSeq: claimedIn(bytes, file) };
}

function readBatches(bytes: Buffer, file: LogFileHeader): Batch[] {
  const batches: Batch[] = [];
  for (let at = fileHeaderBytes; ; ) {
    const batch = readBatch(bytes, at, file);
    if (batch === undefined) return batches;
    batches.push(batch);
    const length = batchHeaderBytes + batch.payload.length + batch.heads.length;
    at += Math.ceil(length / batchStepBytes) * batchStepBytes;
  }
}

function claimedIn(bytes: Buffer, file: LogFileHeader): number {
  let claimedSeq = 0;
  for (let at = fileHeaderBytes; at + batchHeaderBytes <= bytes.length; at += batchStepBytes) {
    if (isHeader(bytes, at, file)) claimedSeq = Math.max(claimedSeq, le64(bytes, at + 40));
  }
  return claimedSeq;
}

function isHeader(bytes: Buffer, at: number, file: LogFileHeader): boolean {
  return (
    batchMagics[file.kind].includes(bytes.toString("latin1", at, at + 4)) &&
    isSummed(bytes, at, at + 56, bytes, at + 56) &&
    bytes.readUInt32LE(at + 20) === file.incarnation &&
    le64(bytes, at + 32) === file.base + at
  );
}

function readBatch(bytes: Buffer, at: number, file: LogFileHeader): Batch | undefined {
  if (at + batchHeaderBytes > bytes.length || !isHeader(bytes, at, file)) return undefined;
  const recordCount = bytes.readUInt16LE(at + 4);
  const headsAt = at + batchHeaderBytes + bytes.readUInt32LE(at + 8);
  const end = headsAt + bytes.readUInt32LE(at + 12);
  if (!isSummed(bytes, headsAt, end, bytes, at + 48)) return undefined;
  const firstSeq = le64(bytes, at + 24);
  return {
    isOfAggregate: bytes.toString("latin1", at, at + 4) === aggregateMagic,
    epoch: bytes.readUInt32LE(at + 16),
    firstSeq,
    recordCount,
    payload: bytes.subarray(at + batchHeaderBytes, headsAt),
    heads: bytes.subarray(headsAt, end),
  };
}
