/**
 * Replies on the wire: encode and decode, pure.
 *
 *   simple:     magic 4 | error 4 | cookie 8 | data of a read                                      (16 bytes)
 *   structured: magic 4 | flags 2 | type 2 | cookie 8 | payload length 4                           (20 bytes)
 *   extended:   magic 4 | flags 2 | type 2 | cookie 8 | offset of the request 8 | payload length 8 (32 bytes)
 *
 * Which of them a connection speaks is settled in the handshake and named by `ReplyStyle`.
 */

import { assertNever } from "#src/core/assert.ts";
import { get16, get32, get64, put16, put32, put64 } from "#src/core/big-endian.ts";
import {
  extendedReplyHeaderBytes,
  magic,
  offsetDataPrefixBytes,
  replyFlag,
  replyType,
  simpleReplyHeaderBytes,
  structuredReplyHeaderBytes,
} from "./constants.ts";

export type ReplyStyle = "simple" | "structured" | "extended";

/** What every reply echoes of its request. */
export interface RequestIdentity {
  readonly cookieHigh: number;
  readonly cookieLow: number;
  readonly offset: number;
}

export interface ReplyHeader {
  magic: number;
  /** Simple replies only. */
  error: number;
  flags: number;
  type: number;
  cookieHigh: number;
  cookieLow: number;
  payloadBytes: number;
}

export function emptyReplyHeader(): ReplyHeader {
  return { magic: 0, error: 0, flags: 0, type: 0, cookieHigh: 0, cookieLow: 0, payloadBytes: 0 };
}

export function encodeSimpleReply(bytes: Uint8Array, at: number, error: number, of: RequestIdentity): number {
  put32(bytes, at, magic.simpleReply);
  put32(bytes, at + 4, error);
  put32(bytes, at + 8, of.cookieHigh);
  put32(bytes, at + 12, of.cookieLow);
  return simpleReplyHeaderBytes;
}

/** The header of a structured or extended chunk. */
export function encodeChunk(
  bytes: Uint8Array,
  at: number,
  extended: boolean,
  chunk: { readonly flags: number; readonly type: number; readonly payloadBytes: number },
  of: RequestIdentity,
): number {
  put32(bytes, at, extended ? magic.extendedReply : magic.structuredReply);
  put16(bytes, at + 4, chunk.flags);
  put16(bytes, at + 6, chunk.type);
  put32(bytes, at + 8, of.cookieHigh);
  put32(bytes, at + 12, of.cookieLow);
  if (!extended) {
    put32(bytes, at + 16, chunk.payloadBytes);
    return structuredReplyHeaderBytes;
  }
  put64(bytes, at + 16, of.offset);
  put64(bytes, at + 24, chunk.payloadBytes);
  return extendedReplyHeaderBytes;
}

/** Bytes in front of the data of a successful read. */
export function readReplyHeadBytes(style: ReplyStyle): number {
  switch (style) {
    case "simple":
      return simpleReplyHeaderBytes;
    case "structured":
      return structuredReplyHeaderBytes + offsetDataPrefixBytes;
    case "extended":
      return extendedReplyHeaderBytes + offsetDataPrefixBytes;
    default:
      return assertNever(style);
  }
}

/** All that stands in front of the data of a successful read, answered in one piece. */
export function encodeReadHead(
  bytes: Uint8Array,
  at: number,
  style: ReplyStyle,
  of: RequestIdentity,
  dataBytes: number,
): number {
  if (style === "simple") return encodeSimpleReply(bytes, at, 0, of);
  const chunk = { flags: replyFlag.done, type: replyType.offsetData, payloadBytes: offsetDataPrefixBytes + dataBytes };
  const headerBytes = encodeChunk(bytes, at, style === "extended", chunk, of);
  put64(bytes, at + headerBytes, of.offset);
  return headerBytes + offsetDataPrefixBytes;
}

/** Bytes of a reply without data: a success, or an error without a text. */
export function statusReplyBytesMax(): number {
  return extendedReplyHeaderBytes + 6;
}

/** A reply without data. A structured connection may take simple replies for what carries none, and they are shorter. */
export function encodeStatus(
  bytes: Uint8Array,
  at: number,
  style: ReplyStyle,
  of: RequestIdentity,
  error: number,
  inChunks: boolean,
): number {
  if (style === "simple" || (style === "structured" && !inChunks)) return encodeSimpleReply(bytes, at, error, of);
  const extended = style === "extended";
  if (error === 0) {
    return encodeChunk(bytes, at, extended, { flags: replyFlag.done, type: replyType.none, payloadBytes: 0 }, of);
  }
  const chunk = { flags: replyFlag.done, type: replyType.error, payloadBytes: 6 };
  const headerBytes = encodeChunk(bytes, at, extended, chunk, of);
  put32(bytes, at + headerBytes, error);
  put16(bytes, at + headerBytes + 4, 0);
  return headerBytes + 6;
}

/** Bytes to have before `decodeReply`, given the reply's magic number; 0 for a magic number that this style does not allow. */
export function replyHeaderBytes(style: ReplyStyle, replyMagic: number): number {
  if (style === "extended") return replyMagic === magic.extendedReply ? extendedReplyHeaderBytes : 0;
  if (replyMagic === magic.simpleReply) return simpleReplyHeaderBytes;
  return style === "structured" && replyMagic === magic.structuredReply ? structuredReplyHeaderBytes : 0;
}

/** Decodes a header of the length that `replyHeaderBytes` gave. The data of a simple read reply is not counted in `payloadBytes`. */
export function decodeReply(bytes: Uint8Array, at: number, into: ReplyHeader): void {
  into.magic = get32(bytes, at);
  into.cookieHigh = get32(bytes, at + 8);
  into.cookieLow = get32(bytes, at + 12);
  if (into.magic === magic.simpleReply) {
    into.error = get32(bytes, at + 4);
    into.flags = replyFlag.done;
    into.type = replyType.none;
    into.payloadBytes = 0;
    return;
  }
  into.error = 0;
  into.flags = get16(bytes, at + 4);
  into.type = get16(bytes, at + 6);
  into.payloadBytes = into.magic === magic.extendedReply ? get64(bytes, at + 24) : get32(bytes, at + 16);
}
