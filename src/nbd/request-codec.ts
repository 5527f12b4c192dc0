/**
 * Requests on the wire, compact and extended: encode and decode, pure.
 *
 *   compact:  magic 4 | flags 2 | type 2 | cookie 8 | offset 8 | length 4                    (28 bytes)
 *   extended: magic 4 | flags 2 | type 2 | cookie 8 | offset 8 | length 8                    (32 bytes)
 *
 * A cookie is opaque: two halves are carried, so that no hot path needs a bigint.
 */
import { get16, get32, get64, put16, put32, put64 } from "#src/core/big-endian.ts";
import { command, commandFlag, extendedRequestHeaderBytes, magic, requestHeaderBytes } from "./constants.ts";

export interface RequestHeader {
  flags: number;
  type: number;
  cookieHigh: number;
  cookieLow: number;
  offset: number;
  /** What the request is about, or for one that carries a payload in extended form, the payload's length. */
  length: number;
  /** Bytes that follow the header. */
  payloadBytes: number;
}

export function emptyRequestHeader(): RequestHeader {
  return { flags: 0, type: 0, cookieHigh: 0, cookieLow: 0, offset: 0, length: 0, payloadBytes: 0 };
}

export function requestHeaderLength(extended: boolean): number {
  return extended ? extendedRequestHeaderBytes : requestHeaderBytes;
}

/** False: the magic number is wrong, so nothing after this point can be understood. */
export function decodeRequest(bytes: Uint8Array, at: number, extended: boolean, into: RequestHeader): boolean {
  if (get32(bytes, at) !== (extended ? magic.extendedRequest : magic.request)) return false;
  into.flags = get16(bytes, at + 4);
  into.type = get16(bytes, at + 6);
  into.cookieHigh = get32(bytes, at + 8);
  into.cookieLow = get32(bytes, at + 12);
  into.offset = get64(bytes, at + 16);
  into.length = extended ? get64(bytes, at + 24) : get32(bytes, at + 24);
  const carriesPayload = extended ? (into.flags & commandFlag.payloadLength) !== 0 : into.type === command.write;
  into.payloadBytes = carriesPayload ? into.length : 0;
  return true;
}

/** Writes a header and returns its length. */
export function encodeRequest(
  bytes: Uint8Array,
  at: number,
  extended: boolean,
  request: Readonly<RequestHeader>,
): number {
  put32(bytes, at, extended ? magic.extendedRequest : magic.request);
  put16(bytes, at + 4, request.flags);
  put16(bytes, at + 6, request.type);
  put32(bytes, at + 8, request.cookieHigh);
  put32(bytes, at + 12, request.cookieLow);
  put64(bytes, at + 16, request.offset);
  if (extended) put64(bytes, at + 24, request.length);
  else put32(bytes, at + 24, request.length);
  return requestHeaderLength(extended);
}
