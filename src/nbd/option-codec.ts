/**
 * Options and their replies in the handshake: encode and decode, pure.
 *
 *   greeting:     "NBDMAGIC" 8 | "IHAVEOPT" 8 | handshake flags 2
 *   client flags: 4
 *   option:       "IHAVEOPT" 8 | option 4 | length 4 | data
 *   reply:        magic 8 | option 4 | reply type 4 | length 4 | data
 */
import { get16, get32, get64, put16, put32, put64 } from "#src/core/big-endian.ts";
import { nbdMetaQueryCountMax, nbdNameBytesMax } from "#src/core/nbd-limits.ts";
import { info, magic, optionHeaderBytes, optionReplyHeaderBytes } from "./constants.ts";

export const greetingBytes = 18;

export function encodeGreeting(handshakeFlags: number): Buffer {
  const bytes = Buffer.alloc(greetingBytes);
  put32(bytes, 0, magic.nbdHigh);
  put32(bytes, 4, magic.nbdLow);
  put32(bytes, 8, magic.optionHigh);
  put32(bytes, 12, magic.optionLow);
  put16(bytes, 16, handshakeFlags);
  return bytes;
}

/** The server's handshake flags, or undefined when this is not a newstyle server. */
export function decodeGreeting(bytes: Uint8Array): number | undefined {
  const isNewstyle =
    get32(bytes, 0) === magic.nbdHigh &&
    get32(bytes, 4) === magic.nbdLow &&
    get32(bytes, 8) === magic.optionHigh &&
    get32(bytes, 12) === magic.optionLow;
  return isNewstyle ? get16(bytes, 16) : undefined;
}

export function encodeOption(option: number, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(optionHeaderBytes + data.length);
  put32(bytes, 0, magic.optionHigh);
  put32(bytes, 4, magic.optionLow);
  put32(bytes, 8, option);
  put32(bytes, 12, data.length);
  bytes.set(data, optionHeaderBytes);
  return bytes;
}

export interface OptionHeader {
  readonly option: number;
  readonly dataBytes: number;
}

export function decodeOptionHeader(bytes: Uint8Array, at: number): OptionHeader | undefined {
  if (get32(bytes, at) !== magic.optionHigh || get32(bytes, at + 4) !== magic.optionLow) return undefined;
  return { option: get32(bytes, at + 8), dataBytes: get32(bytes, at + 12) };
}

export function encodeOptionReply(option: number, type: number, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(optionReplyHeaderBytes + data.length);
  put32(bytes, 0, magic.optionReplyHigh);
  put32(bytes, 4, magic.optionReplyLow);
  put32(bytes, 8, option);
  put32(bytes, 12, type);
  put32(bytes, 16, data.length);
  bytes.set(data, optionReplyHeaderBytes);
  return bytes;
}

export interface OptionReplyHeader {
  readonly option: number;
  readonly type: number;
  readonly dataBytes: number;
}

export function decodeOptionReplyHeader(bytes: Uint8Array, at: number): OptionReplyHeader | undefined {
  if (get32(bytes, at) !== magic.optionReplyHigh || get32(bytes, at + 4) !== magic.optionReplyLow) return undefined;
  return { option: get32(bytes, at + 8), type: get32(bytes, at + 12), dataBytes: get32(bytes, at + 16) };
}

/** Data of INFO and GO: name length 4 | name | count 2 | count times a 2 byte information type. */
export interface InfoRequest {
  readonly name: string;
  readonly wanted: readonly number[];
}

export function encodeInfoRequest(request: InfoRequest): Buffer {
  const name = Buffer.from(request.name, "utf8");
  const bytes = Buffer.alloc(4 + name.length + 2 + 2 * request.wanted.length);
  put32(bytes, 0, name.length);
  bytes.set(name, 4);
  put16(bytes, 4 + name.length, request.wanted.length);
  for (const [index, type] of request.wanted.entries()) put16(bytes, 6 + name.length + 2 * index, type);
  return bytes;
}

export function decodeInfoRequest(data: Uint8Array): InfoRequest | undefined {
  const named = decodeName(data);
  if (named === undefined || data.length < named.end + 2) return undefined;
  const count = get16(data, named.end);
  if (data.length !== named.end + 2 + 2 * count) return undefined;
  const wanted: number[] = [];
  for (let index = 0; index < count; index++) wanted.push(get16(data, named.end + 2 + 2 * index));
  return { name: named.text, wanted };
}

/** Data of LIST_META_CONTEXT and SET_META_CONTEXT: name length 4 | name | count 4 | count times (length 4 | query). */
export interface MetaContextRequest {
  readonly name: string;
  readonly queries: readonly string[];
}

export function encodeMetaContextRequest(request: MetaContextRequest): Buffer {
  const count = Buffer.alloc(4);
  put32(count, 0, request.queries.length);
  return Buffer.concat([encodeText(request.name), count, ...request.queries.map(encodeText)]);
}

/** "too-many" is a request that is well formed as far as it was read, but has more queries than this program cares to answer. */
export function decodeMetaContextRequest(data: Uint8Array): MetaContextRequest | "too-many" | undefined {
  const named = decodeName(data);
  if (named === undefined || data.length < named.end + 4) return undefined;
  const count = get32(data, named.end);
  if (count > nbdMetaQueryCountMax) return "too-many";
  const queries: string[] = [];
  let at = named.end + 4;
  for (let index = 0; index < count; index++) {
    const query = decodeName(data.subarray(at));
    if (query === undefined) return undefined;
    queries.push(query.text);
    at += query.end;
  }
  return at === data.length ? { name: named.text, queries } : undefined;
}

export function encodeExportInfo(sizeBytes: number, transmissionFlags: number): Buffer {
  const bytes = Buffer.alloc(12);
  put16(bytes, 0, info.export);
  put64(bytes, 2, sizeBytes);
  put16(bytes, 10, transmissionFlags);
  return bytes;
}

export function decodeExportInfo(data: Uint8Array): { sizeBytes: number; transmissionFlags: number } | undefined {
  if (data.length !== 12) return undefined;
  return { sizeBytes: get64(data, 2), transmissionFlags: get16(data, 10) };
}

export interface BlockSizes {
  readonly minimumBytes: number;
  readonly preferredBytes: number;
  readonly payloadBytesMax: number;
}

export function encodeBlockSizeInfo(sizes: BlockSizes): Buffer {
  const bytes = Buffer.alloc(14);
  put16(bytes, 0, info.blockSize);
  put32(bytes, 2, sizes.minimumBytes);
  put32(bytes, 6, sizes.preferredBytes);
  put32(bytes, 10, sizes.payloadBytesMax);
  return bytes;
}

export function decodeBlockSizeInfo(data: Uint8Array): BlockSizes | undefined {
  if (data.length !== 14) return undefined;
  return { minimumBytes: get32(data, 2), preferredBytes: get32(data, 6), payloadBytesMax: get32(data, 10) };
}

/** The name and description items: a 2 byte information type and a text. */
export function encodeTextInfo(type: number, text: string): Buffer {
  const head = Buffer.alloc(2);
  put16(head, 0, type);
  return Buffer.concat([head, Buffer.from(text, "utf8")]);
}

export function decodeInfoType(data: Uint8Array): number | undefined {
  return data.length < 2 ? undefined : get16(data, 0);
}

export function decodeTextInfo(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset + 2, data.length - 2).toString("utf8");
}

/** An export in the answer to LIST: name length 4 | name | description. */
export function encodeServerItem(name: string, description: string): Buffer {
  return Buffer.concat([encodeText(name), Buffer.from(description, "utf8")]);
}

export function decodeServerItem(data: Uint8Array): { name: string; description: string } | undefined {
  const named = decodeName(data);
  if (named === undefined) return undefined;
  return { name: named.text, description: Buffer.from(data.subarray(named.end)).toString("utf8") };
}

export function encodeMetaContext(id: number, name: string): Buffer {
  const head = Buffer.alloc(4);
  put32(head, 0, id);
  return Buffer.concat([head, Buffer.from(name, "utf8")]);
}

export function decodeMetaContext(data: Uint8Array): { id: number; name: string } | undefined {
  if (data.length < 4) return undefined;
  return { id: get32(data, 0), name: Buffer.from(data.subarray(4)).toString("utf8") };
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  const head = Buffer.alloc(4);
  put32(head, 0, bytes.length);
  return Buffer.concat([head, bytes]);
}

/** A text behind its 4 byte length, at the start of `data`; undefined if it does not fit or is longer than any name may be. */
function decodeName(data: Uint8Array): { text: string; end: number } | undefined {
  if (data.length < 4) return undefined;
  const length = get32(data, 0);
  if (length > nbdNameBytesMax || 4 + length > data.length) return undefined;
  return { text: Buffer.from(data.subarray(4, 4 + length)).toString("utf8"), end: 4 + length };
}
