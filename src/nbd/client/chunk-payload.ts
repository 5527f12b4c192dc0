/**
 * Payloads of chunks, decoded, pure:
 *
 *   offset data:  offset 8 | data
 *   offset hole:  offset 8 | length 4
 *   error:        error 4 | text length 2 | text | for an error with an offset: offset 8
 *   block status: context 4 | n × (length 4 | status 4)
 *   extended:     context 4 | n 4 | n × (length 8 | status 8)
 */
import { get16, get32, get64 } from "#src/core/big-endian.ts";
import { nbdErrorMessageBytesMax } from "#src/core/nbd-limits.ts";
import { replyType } from "../constants.ts";
import { printable } from "./errors.ts";
import type { ReportedExtent } from "./operation.ts";

export const holeBytes = 12;
export const errorBytesMin = 6;

export interface ErrorPayload {
  readonly error: number;
  readonly text: string;
  /** Only for an error with an offset. */
  readonly position: number | undefined;
}

/** Undefined where the parts do not fit together, or the error is none. */
export function decodeErrorPayload(type: number, payload: Uint8Array): ErrorPayload | undefined {
  if (payload.length < errorBytesMin) return undefined;
  const error = get32(payload, 0);
  const textBytes = get16(payload, 4);
  const hasOffset = type === replyType.errorOffset;
  const restBytes = payload.length - errorBytesMin - textBytes;
  if (error === 0 || textBytes > nbdErrorMessageBytesMax || restBytes < 0) return undefined;
  if (hasOffset ? restBytes !== 8 : type === replyType.error && restBytes !== 0) return undefined;
  const end = errorBytesMin + textBytes;
  return {
    error,
    text: printable(payload.subarray(errorBytesMin, end)),
    position: hasOffset ? get64(payload, end) : undefined,
  };
}

export function statusHeadBytes(extended: boolean): number {
  return extended ? 8 : 4;
}

export function statusExtentBytes(extended: boolean): number {
  return extended ? 16 : 8;
}

/** How many extents a status chunk of this length has; undefined if no whole number, or none. */
export function statusExtentCount(extended: boolean, payloadBytes: number): number | undefined {
  const count = (payloadBytes - statusHeadBytes(extended)) / statusExtentBytes(extended);
  return Number.isInteger(count) && count > 0 ? count : undefined;
}

export function decodeStatusExtent(extended: boolean, bytes: Uint8Array, at: number): ReportedExtent {
  return extended
    ? { lengthBytes: get64(bytes, at), status: get32(bytes, at + 12), statusHigh: get32(bytes, at + 8) }
    : { lengthBytes: get32(bytes, at), status: get32(bytes, at + 4), statusHigh: 0 };
}
