/** The one request whose answer has a shape of its own: which bytes have which status, per metadata context. Pure. */
import { get32, get64, put32, put64 } from "#src/core/big-endian.ts";
import { KiB } from "#src/core/limits.ts";
import { nbdMetaContextCountMax } from "#src/core/nbd-limits.ts";
import type { AgreedContext } from "./agreement.ts";
import { commandFlag, extendedReplyHeaderBytes, replyFlag, replyType } from "./constants.ts";
import type { StatusExtent } from "./export.ts";
import { encodeChunk, type RequestIdentity } from "./reply-codec.ts";
import type { RequestHeader } from "./request-codec.ts";

/** A block status in extended form may carry: the length in question 8 | ids of the contexts wanted, 4 each. */
const payloadBytesMax = 8 + 4 * nbdMetaContextCountMax;

/** The longest that 32 bits hold and that ends on a boundary which any block size divides. */
const compactExtentBytesMax = 2 ** 32 - 64 * KiB;

export interface StatusQuestion {
  readonly length: number;
  readonly contexts: readonly AgreedContext[];
}

export function isStatusPayloadLength(byteLength: number): boolean {
  return byteLength >= 12 && byteLength <= payloadBytesMax && byteLength % 4 === 0;
}

/** What a valid block status asks for; undefined when its payload names a context twice or one that was not agreed on. */
export function statusQuestion(
  header: Readonly<RequestHeader>,
  agreed: readonly AgreedContext[],
  bytes: Buffer,
  payloadStart: number,
): StatusQuestion | undefined {
  if ((header.flags & commandFlag.payloadLength) === 0) return { length: header.length, contexts: agreed };
  const contexts: AgreedContext[] = [];
  for (let at = payloadStart + 8; at < payloadStart + header.payloadBytes; at += 4) {
    const id = get32(bytes, at);
    const context = agreed.find((one) => one.id === id);
    if (context === undefined || contexts.includes(context)) return undefined;
    contexts.push(context);
  }
  return { length: get64(bytes, payloadStart), contexts };
}

/** All chunks of the answer: 32 bit extents behind a context id, or in extended form 64 bit ones behind id and count. */
export function encodeBlockStatus(
  extended: boolean,
  of: RequestIdentity,
  ids: readonly number[],
  extents: readonly (readonly StatusExtent[])[],
): Buffer {
  const chunks = ids.map((id, index) => {
    const isLast = index === ids.length - 1;
    return encodeContextChunk(extended, of, id, extents[index] ?? [], isLast ? replyFlag.done : 0);
  });
  return Buffer.concat(chunks);
}

function encodeContextChunk(
  extended: boolean,
  of: RequestIdentity,
  id: number,
  reported: readonly StatusExtent[],
  flags: number,
): Buffer {
  const extents = extended ? reported : shortened(reported);
  const payloadBytes = extended ? 8 + 16 * extents.length : 4 + 8 * extents.length;
  const bytes = Buffer.alloc(extendedReplyHeaderBytes + payloadBytes);
  const type = extended ? replyType.blockStatusExtended : replyType.blockStatus;
  let at = encodeChunk(bytes, 0, extended, { flags, type, payloadBytes }, of);
  put32(bytes, at, id);
  at += 4;
  if (extended) {
    put32(bytes, at, extents.length);
    at += 4;
  }
  for (const extent of extents) {
    if (extended) {
      put64(bytes, at, extent.lengthBytes);
      put64(bytes, at + 8, extent.status);
      at += 16;
    } else {
      put32(bytes, at, extent.lengthBytes);
      put32(bytes, at + 4, extent.status);
      at += 8;
    }
  }
  return bytes.subarray(0, at);
}

/** A compact extent has 32 bits for its length. An answer may always end early, so it ends with the first that is longer. */
function shortened(extents: readonly StatusExtent[]): readonly StatusExtent[] {
  const index = extents.findIndex((extent) => extent.lengthBytes > compactExtentBytesMax);
  const long = extents[index];
  if (long === undefined) return extents;
  return [...extents.slice(0, index), { lengthBytes: compactExtentBytesMax, status: long.status }];
}
