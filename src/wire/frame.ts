/**
 * The frame: the unit of everything that is said over a connection between parts of Tidemark (docs/formats.md). The
 * header has a checksum of its own, so that a wrong length is found before anything is done about it. It covers the
 * checksum of the body; batches, which check themselves, have none.
 */
import { assert } from "#src/core/assert.ts";
import { ReconnectError, RefuseError } from "#src/core/errors.ts";
import { wireBulkBytesMax, wireControlBytesMax, wireFrameHeaderBytes } from "#src/core/limits.ts";
import { getLe16, getLe32, putLe16, putLe32 } from "#src/core/little-endian.ts";
import { byteLengthOf } from "#src/core/pieces.ts";
import { hasChecksum, putChecksum } from "#src/host/checksum.ts";

/** "TMFR" */
const frameMagic = 0x52464d54;
export const frameVersion = 1;

/** The numbers are part of the protocol; they are never given out twice. */
export const frameType = {
  challenge: 1,
  hello: 2,
  proof: 3,
  heartbeat: 4,
  farewell: 5,
  welcome: 6,
  batches: 16,
  watermarks: 17,
  credit: 18,
  askDurable: 19,
  fetch: 20,
  fetchedBatch: 21,
  fetchEnd: 22,
  compressedBatches: 23,
  recall: 24,
  recalled: 25,
  records: 32,
  progress: 33,
  flush: 34,
  flushed: 35,
  sourceDurable: 36,
  redo: 37,
  redone: 38,
} as const;

export type FrameType = (typeof frameType)[keyof typeof frameType];

const types = new Set<number>(Object.values(frameType));
/** Their bodies are batches, which have checksums of their own. */
const batchTypes = new Set<number>([frameType.batches, frameType.fetchedBatch, frameType.records, frameType.redo]);

/** Frames whose body are batches: large, and left to whoever takes them as they came. */
export function isBulk(type: number): boolean {
  return batchTypes.has(type) || type === frameType.compressedBatches;
}

export interface FrameHeader {
  readonly type: FrameType;
  readonly bodyBytes: number;
}

const at = {
  magic: 0,
  version: 4,
  type: 5,
  reserved: 6,
  bodyBytes: 8,
  number: 12,
  bodyChecksum: 16,
  headerChecksum: 24,
};

/** Frames of a connection are counted in each direction, so that one that is missing, doubled or out of order is seen. */
export function nextFrameNumber(number: number): number {
  return (number + 1) >>> 0;
}

/** A whole control frame. */
export function encodeFrame(type: FrameType, number: number, body: Buffer): Buffer {
  const frame = Buffer.alloc(wireFrameHeaderBytes + body.length);
  body.copy(frame, wireFrameHeaderBytes);
  putCheckedHeader(frame, type, number, body);
  return frame;
}

/** The header of a frame whose body are batches, which come in pieces; in one piece where it is checked as a whole. */
export function encodeBulkHeader(type: FrameType, number: number, pieces: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(wireFrameHeaderBytes);
  const [body, ...others] = pieces;
  if (batchTypes.has(type)) {
    putHeader(header, type, number, byteLengthOf(pieces));
  } else {
    assert(body !== undefined && others.length === 0, "what has a checksum is in one piece");
    putCheckedHeader(header, type, number, body);
  }
  return header;
}

function putCheckedHeader(target: Buffer, type: FrameType, number: number, body: Buffer): void {
  putChecksum(body, 0, body.length, target, at.bodyChecksum);
  putHeader(target, type, number, body.length);
}

function putHeader(target: Buffer, type: FrameType, number: number, bodyBytes: number): void {
  assert(bodyBytes <= bodyBytesMaxOf(type), "a frame that is sent is within its bounds");
  putLe32(target, at.magic, frameMagic);
  target[at.version] = frameVersion;
  target[at.type] = type;
  putLe16(target, at.reserved, 0);
  putLe32(target, at.bodyBytes, bodyBytes);
  putLe32(target, at.number, number);
  putChecksum(target, 0, at.headerChecksum, target, at.headerChecksum);
}

function bodyBytesMaxOf(type: FrameType): number {
  return isBulk(type) ? wireBulkBytesMax : wireControlBytesMax;
}

/**
 * Reads the header at `start`, where all its bytes are. Throws in words for people when it is not the one that should
 * be there; a body that is too long is refused before anyone has made room for it.
 */
export function getFrameHeader(bytes: Buffer, start: number, number: number, bodyBytesMax: number): FrameHeader {
  // Who got the first one right speaks Tidemark; later ones can only have been altered.
  if (number === 0) checkTongue(bytes, start);
  if (!hasChecksum(bytes, start, start + at.headerChecksum, bytes, start + at.headerChecksum)) {
    throw new ReconnectError("the head of a frame was altered on its way");
  }
  const type = bytes[start + at.type] as number;
  const isOfThisVersion = getLe32(bytes, start + at.magic) === frameMagic && bytes[start + at.version] === frameVersion;
  if (!isOfThisVersion) throw new RefuseError("the other side changed its way of speaking in the middle");
  if (!isFrameType(type) || getLe16(bytes, start + at.reserved) !== 0) {
    throw new RefuseError(`the other side sent a frame of type ${type}, which this side does not know`);
  }
  const found = getLe32(bytes, start + at.number);
  if (found !== number) throw new ReconnectError(`frame ${found} came where frame ${number} should have come`);
  const bodyBytes = getLe32(bytes, start + at.bodyBytes);
  const mostBytes = Math.min(bodyBytesMax, bodyBytesMaxOf(type));
  if (bodyBytes > mostBytes) {
    throw new RefuseError(`the other side sent a frame of ${bodyBytes} bytes, where ${mostBytes} are the limit`);
  }
  return { type, bodyBytes };
}

function checkTongue(bytes: Buffer, start: number): void {
  if (getLe32(bytes, start + at.magic) !== frameMagic) throw new RefuseError("the other side does not speak Tidemark");
  const version = bytes[start + at.version] as number;
  if (version === frameVersion) return;
  throw new RefuseError(`the other side sends frames of version ${version}, this side knows version ${frameVersion}`);
}

function isFrameType(type: number): type is FrameType {
  return types.has(type);
}

/** Whether the body behind the header at `start`, all of it there, is the one that was sent. */
export function hasSoundBody(bytes: Buffer, start: number, header: FrameHeader): boolean {
  const bodyAt = start + wireFrameHeaderBytes;
  return (
    batchTypes.has(header.type) || hasChecksum(bytes, bodyAt, bodyAt + header.bodyBytes, bytes, start + at.bodyChecksum)
  );
}
