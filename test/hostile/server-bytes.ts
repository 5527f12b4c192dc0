/** What a server says, taken apart strictly: whatever the specification does not allow is thrown as an error. */
import type { Style } from "./client-bytes.ts";

export const greetingBytes = 18;
export const optionReplyHeaderBytes = 20;

export interface OptionReply {
  readonly option: number;
  readonly type: number;
  readonly data: Buffer;
}

/** A whole reply, of all its chunks. */
export interface Reply {
  readonly cookie: bigint;
  readonly error: number;
  readonly data: Buffer | undefined;
  /** Per context id the runs of a block status. */
  readonly status: ReadonlyMap<number, readonly Run[]>;
  /** Bytes it took on the wire. */
  readonly byteLength: number;
}

export interface Run {
  readonly lengthBytes: number;
  readonly flags: number;
}

const simpleMagic = 0x67446698;
const structuredMagic = 0x668e33ef;
const extendedReplyMagic = 0x6e8a278c;
const textBytesMax = 4096;

export class Nonsense extends Error {}

function ensure(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Nonsense(message);
}

export function parseGreeting(bytes: Buffer): void {
  ensure(bytes.toString("latin1", 0, 16) === "NBDMAGICIHAVEOPT", "the greeting's magic numbers");
  ensure(bytes.readUInt16BE(16) === 3, "fixed newstyle, no zeroes");
}

/** Undefined: more bytes are needed. */
export function parseOptionReply(bytes: Buffer, at: number): OptionReply | undefined {
  if (bytes.length - at < optionReplyHeaderBytes) return undefined;
  ensure(bytes.readBigUInt64BE(at) === 0x3e889045565a9n, "the magic number of option replies");
  const length = bytes.readUInt32BE(at + 16);
  ensure(length <= 64 * 1024, `an option reply of ${length} bytes`);
  if (bytes.length - at < optionReplyHeaderBytes + length) return undefined;
  const data = bytes.subarray(at + optionReplyHeaderBytes, at + optionReplyHeaderBytes + length);
  return { option: bytes.readUInt32BE(at + 8), type: bytes.readUInt32BE(at + 12), data };
}

/**
 * The reply that begins at `at`; undefined: more bytes are needed. `readBytesOf` tells how many bytes a cookie's read
 * asked for: a successful simple reply does not say so itself.
 */
export function parseReply(
  style: Style,
  bytes: Buffer,
  at: number,
  readBytesOf: (cookie: bigint) => number,
): Reply | undefined {
  if (bytes.length - at < 4) return undefined;
  const magic = bytes.readUInt32BE(at);
  if (magic === simpleMagic) return parseSimple(style, bytes, at, readBytesOf);
  return parseChunks(style, magic, bytes, at);
}

function parseSimple(
  style: Style,
  bytes: Buffer,
  at: number,
  readBytesOf: (cookie: bigint) => number,
): Reply | undefined {
  ensure(style !== "extended", "no simple reply where extended headers were agreed on");
  if (bytes.length - at < 16) return undefined;
  const error = bytes.readUInt32BE(at + 4);
  const cookie = bytes.readBigUInt64BE(at + 8);
  const readBytes = readBytesOf(cookie);
  ensure(style === "simple" || readBytes === 0, "no simple reply to a read where structured replies were agreed on");
  const dataBytes = error === 0 ? readBytes : 0;
  if (bytes.length - at < 16 + dataBytes) return undefined;
  const data = dataBytes > 0 ? bytes.subarray(at + 16, at + 16 + dataBytes) : undefined;
  return { cookie, error, data, status: new Map(), byteLength: 16 + dataBytes };
}

interface Chunk {
  readonly done: boolean;
  readonly type: number;
  readonly cookie: bigint;
  readonly payload: Buffer;
  readonly byteLength: number;
}

function parseChunk(style: Style, magic: number, bytes: Buffer, at: number): Chunk | undefined {
  const isExtended = style === "extended";
  ensure(magic === (isExtended ? extendedReplyMagic : structuredMagic), `the magic number ${magic.toString(16)}`);
  ensure(style !== "simple", "no chunks where nobody asked for them");
  const headerBytes = isExtended ? 32 : 20;
  if (bytes.length - at < headerBytes) return undefined;
  const length = isExtended ? Number(bytes.readBigUInt64BE(at + 24)) : bytes.readUInt32BE(at + 16);
  ensure(length <= 64 * 1024 * 1024, `a chunk of ${length} bytes`);
  const flags = bytes.readUInt16BE(at + 4);
  ensure((flags & ~1) === 0, "no reply flag but the one that ends a reply");
  if (bytes.length - at < headerBytes + length) return undefined;
  return {
    done: flags === 1,
    type: bytes.readUInt16BE(at + 6),
    cookie: bytes.readBigUInt64BE(at + 8),
    payload: bytes.subarray(at + headerBytes, at + headerBytes + length),
    byteLength: headerBytes + length,
  };
}

/** This server sends the chunks of a reply one behind the other, so nothing need be kept for later. */
function parseChunks(style: Style, firstMagic: number, bytes: Buffer, at: number): Reply | undefined {
  const status = new Map<number, readonly Run[]>();
  let data: Buffer | undefined;
  let error = 0;
  let byteLength = 0;
  for (let magic = firstMagic; ; magic = bytes.readUInt32BE(at + byteLength)) {
    const chunk = parseChunk(style, magic, bytes, at + byteLength);
    if (chunk === undefined) return undefined;
    const { cookie, payload } = chunk;
    byteLength += chunk.byteLength;
    switch (chunk.type) {
      case 0:
        ensure(chunk.done && payload.length === 0, "an empty chunk is the last one");
        break;
      case 1:
        ensure(data === undefined && payload.length >= 9, "one data chunk, not empty");
        data = payload.subarray(8);
        break;
      case 5:
      case 6: {
        ensure((chunk.type === 6) === (style === "extended"), "the kind of block status that was agreed on");
        const id = payload.readUInt32BE(0);
        ensure(!status.has(id), "each context is answered once");
        status.set(id, parseRuns(chunk.type === 6, payload));
        break;
      }
      case 0x8001:
        error = parseError(payload);
        break;
      default:
        ensure(false, `no chunk of type ${chunk.type}`);
    }
    if (chunk.done) return { cookie, error, data, status, byteLength };
    if (bytes.length - at - byteLength < 4) return undefined;
  }
}

function parseError(payload: Buffer): number {
  const error = payload.readUInt32BE(0);
  const textBytes = payload.readUInt16BE(4);
  ensure(error !== 0 && textBytes <= textBytesMax && payload.length === 6 + textBytes, "an error and its text");
  return error;
}

function parseRuns(isExtended: boolean, payload: Buffer): Run[] {
  const runs: Run[] = [];
  const start = isExtended ? 8 : 4;
  const each = isExtended ? 16 : 8;
  ensure(payload.length > start && (payload.length - start) % each === 0, "whole descriptors, at least one");
  for (let at = start; at < payload.length; at += each) {
    const lengthBytes = isExtended ? Number(payload.readBigUInt64BE(at)) : payload.readUInt32BE(at);
    const flags = isExtended ? Number(payload.readBigUInt64BE(at + 8)) : payload.readUInt32BE(at + 4);
    ensure(lengthBytes > 0, "no run is empty");
    runs.push({ lengthBytes, flags });
  }
  ensure(!isExtended || payload.readUInt32BE(4) === runs.length, "the count of descriptors");
  return runs;
}
