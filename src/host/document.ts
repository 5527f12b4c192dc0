/**
 * Small durable documents: JSON that says what it is, in which version, and whether it is whole. Published by rename, so
 * a damaged one is damage and never a half-written one.
 */
import { RefuseError, StopError } from "#src/core/errors.ts";
import { checksumBytes, putChecksum } from "./checksum.ts";
import type { Files } from "./files.ts";
import { publish } from "./publish.ts";
import { turnBitBack } from "./turned-bit.ts";

/** Of a larger one it would take too long to try each bit. */
const mendedBytesMax = 8192;

export interface DocumentKind {
  /** For example `tidemark-group`. */
  readonly format: string;
  readonly version: number;
}

interface Envelope extends DocumentKind {
  readonly content: unknown;
  readonly checksum: string;
}

export async function publishDocument(files: Files, path: string, kind: DocumentKind, content: object): Promise<void> {
  await publish(files, path, encodeDocument(kind, content));
}

export function encodeDocument(kind: DocumentKind, content: object): Buffer {
  const envelope: Envelope = { ...kind, content, checksum: checksumOf(kind, content) };
  return Buffer.from(textOf(envelope));
}

/** Undefined: there is no such file. */
export function readDocument(files: Files, path: string, kind: DocumentKind): Record<string, unknown> | undefined {
  return files.exists(path) ? decodeDocument(readWhole(files, path), path, kind) : undefined;
}

export interface MendedDocument {
  readonly content: Record<string, unknown>;
  /** One bit of the file had been turned: it is turned back in what is said here, and the file is as it was. */
  readonly isMended: boolean;
}

/** As `readDocument`, of a document without which much else is of no use: one turned bit does not make it damaged. */
export function readMendedDocument(files: Files, path: string, kind: DocumentKind): MendedDocument | undefined {
  if (!files.exists(path)) return undefined;
  const bytes = readWhole(files, path);
  const isSound = (candidate: Buffer): boolean => isWholeOf(parse(candidate), kind.format);
  const isTried = !isSound(bytes) && bytes.length <= mendedBytesMax;
  const isMended = isTried && turnBitBack(bytes, bytes.length, isSound);
  return { content: decodeDocument(bytes, path, kind), isMended };
}

/** Of whatever version. */
function isWholeOf(envelope: Envelope | undefined, format: string): boolean {
  if (envelope?.format !== format || !Number.isSafeInteger(envelope.version)) return false;
  return envelope.checksum === checksumOf(envelope, envelope.content);
}

/** Throws a `StopError` where it is damaged, a `RefuseError` where it has another version. `path`: for people. */
export function decodeDocument(bytes: Buffer, path: string, kind: DocumentKind): Record<string, unknown> {
  const envelope = parse(bytes);
  if (envelope === undefined || envelope.format !== kind.format || !Number.isSafeInteger(envelope.version)) {
    throw new StopError(`${path} is damaged: it is no document of the kind ${kind.format}`);
  }
  // Before its version is believed: one that was turned is damage, and not what a later program wrote.
  if (envelope.checksum !== checksumOf(envelope, envelope.content)) {
    throw new StopError(`${path} is damaged: its content is not what its checksum was made for`);
  }
  if (envelope.version !== kind.version) {
    throw new RefuseError(
      `${path} has version ${envelope.version}, and this program reads version ${kind.version}: use the program that wrote it`,
    );
  }
  return envelope.content as Record<string, unknown>;
}

/** Whether these are just the bytes that `encodeDocument` has made of something: other white space would say the same. */
export function isAsEncoded(bytes: Buffer): boolean {
  const envelope = parse(bytes);
  if (envelope === undefined || envelope.checksum !== checksumOf(envelope, envelope.content)) return false;
  return textOf(envelope) === bytes.toString("utf8");
}

function textOf(envelope: Envelope): string {
  return `${JSON.stringify(envelope, null, 2)}\n`;
}

function parse(bytes: Buffer): Envelope | undefined {
  try {
    const value = JSON.parse(bytes.toString("utf8")) as Envelope;
    return typeof value?.content === "object" && value.content !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function readWhole(files: Files, path: string): Buffer {
  const handle = files.open(path, "read");
  try {
    const bytes = Buffer.alloc(handle.sizeBytesNow());
    handle.readNow(bytes, 0, bytes.length, 0);
    return bytes;
  } finally {
    handle.close();
  }
}

/** That of version 1 is of the content alone; from then on it vouches for what the document says it is, too. */
function checksumOf({ format, version }: DocumentKind, content: unknown): string {
  const bytes = Buffer.from(JSON.stringify(version === 1 ? content : { format, version, content }));
  const sum = Buffer.alloc(checksumBytes);
  putChecksum(bytes, 0, bytes.length, sum, 0);
  return sum.toString("hex");
}
