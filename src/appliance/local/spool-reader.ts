/** Reading back what a spool holds: as it is, for the wire; checked, for the source. */
import { assert } from "#src/core/assert.ts";
import { ResyncError, StopError } from "#src/core/errors.ts";
import { batchHeaderBytes, logFileHeaderBytes, spoolReadBytes, spoolTurnMs } from "#src/core/limits.ts";
import type { Clock } from "#src/host/clock.ts";
import {
  type BatchHeader,
  type BatchRecord,
  batchMagic,
  batchRecords,
  batchSpanBytes,
  getBatchHeader,
  hasSoundHeads,
  hasSoundPayload,
  lastSeqOf,
} from "#src/records/batch.ts";
import type { SpoolIndex } from "./spool-index.ts";
import type { SpoolSegment } from "./spool-segment.ts";
import type { SpoolSegments } from "./spool-segments.ts";

export interface SpoolRead {
  /** Whole batches, one behind the other. */
  readonly byteLength: number;
  /** Where to go on. The same position with nothing read: the room is too small, or the log ends here. */
  readonly nextPosition: number;
}

/** What is thrown ends the scan; a promise is waited for, and so long the buffer stays as it is. */
export type VisitRecord = (record: BatchRecord, buffer: Buffer) => Promise<void> | undefined | void;

export class SpoolReader {
  readonly #segments: SpoolSegments;
  readonly #index: SpoolIndex;
  readonly #clock: Clock;
  readonly #incarnation: number;
  /** For walking over headers only. */
  #scratch: Buffer | undefined;

  constructor(segments: SpoolSegments, index: SpoolIndex, clock: Clock, incarnation: number) {
    this.#segments = segments;
    this.#index = index;
    this.#clock = clock;
    this.#incarnation = incarnation;
  }

  read(from: number, buffer: Buffer, roomBytes: number): SpoolRead {
    const { current } = this.#segments;
    const position = reachable(this.#segments, from);
    // The room may be what there is up to a place in between.
    if (position > from) return { byteLength: 0, nextPosition: position + logFileHeaderBytes };
    const segment = this.#segments.at(position);
    if (segment === undefined) return { byteLength: 0, nextPosition: position };
    const offset = Math.max(position - segment.basePosition, logFileHeaderBytes);
    const left = segment.endOffset - offset;
    if (left <= 0) {
      const nextPosition = segment === current ? position : startBehind(this.#segments, segment);
      return { byteLength: 0, nextPosition };
    }
    const count = Math.min(roomBytes, left);
    this.#readWhole(segment, buffer, count, offset);
    const byteLength = this.#wholeBatchBytes(segment, buffer, count, offset);
    if (byteLength === 0) return { byteLength, nextPosition: position };
    const isAll = offset + byteLength === segment.endOffset && segment !== current;
    const nextPosition = isAll ? startBehind(this.#segments, segment) : segment.basePosition + offset + byteLength;
    return { byteLength, nextPosition };
  }

  #readWhole(segment: SpoolSegment, buffer: Buffer, count: number, offset: number): void {
    const readBytes = this.#segments.readNow(segment, buffer, count, offset);
    if (readBytes < count) throw damage(segment, offset + readBytes, "the file ends too early");
  }

  #wholeBatchBytes(segment: SpoolSegment, buffer: Buffer, count: number, offset: number): number {
    let at = 0;
    while (at + batchHeaderBytes <= count) {
      const spanBytes = batchSpanBytes(ownHeader(segment, buffer, at, offset + at, this.#incarnation));
      if (at + spanBytes > count) break;
      at += spanBytes;
    }
    return at;
  }

  /** Payload that lies at `position`, as it is: whoever knows its checksums checks it. */
  readPayload(position: number, buffer: Buffer, start: number, byteLength: number): void {
    const segment = this.#segments.at(reachable(this.#segments, position)) as SpoolSegment;
    const offset = position - segment.basePosition;
    const readBytes = this.#segments.readNow(segment, buffer, byteLength, offset, start);
    if (readBytes < byteLength) throw damage(segment, offset + readBytes, "the file ends too early");
  }

  /** What to say of content at `position` that is not what was written there. */
  damageAt(position: number, what: string): StopError {
    const segment = this.#segments.at(position) as SpoolSegment;
    return damage(segment, position - segment.basePosition, what);
  }

  /** Where the batch with the first record after `seq` begins; the oldest one if that record was released. */
  positionAfter(seq: number): number {
    const start = this.#segments.oldest.basePosition + logFileHeaderBytes;
    const entry = this.#index.find(seq);
    if (entry === undefined || entry.position < start) return start;
    if (entry.isExact) return entry.position;
    this.#scratch ??= Buffer.allocUnsafeSlow(spoolReadBytes);
    for (let position = entry.position; ; ) {
      const read = this.read(position, this.#scratch, this.#scratch.length);
      const found = this.#batchAfter(seq, position, read.byteLength);
      if (found !== undefined) return found;
      if (read.nextPosition === position) return position;
      position = read.nextPosition;
    }
  }

  #batchAfter(seq: number, position: number, byteLength: number): number | undefined {
    const scratch = this.#scratch as Buffer;
    for (let at = 0; at < byteLength; ) {
      const header = getBatchHeader(scratch, at, batchMagic.records) as BatchHeader;
      if (lastSeqOf(header) > seq) return header.position;
      at += batchSpanBytes(header);
      assert(at <= byteLength, `whole batches were read from ${position} on`);
    }
    return undefined;
  }

  /** Every record after `afterSeq` up to `lastSeq`, checked against its checksums. */
  async scan(afterSeq: number, lastSeq: number, visit: VisitRecord): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(spoolReadBytes);
    let position = this.positionAfter(afterSeq);
    let seq = afterSeq;
    let turnMs = this.#clock.monotonicMs();
    while (seq < lastSeq) {
      // What was released meanwhile is needed by nobody.
      position = Math.max(position, this.#segments.oldest.basePosition);
      const read = this.read(position, buffer, buffer.length);
      for (let at = 0; at < read.byteLength; ) {
        const { header, records } = this.#checked(buffer, at);
        for (const record of records) {
          if (record.seq <= seq || record.seq > lastSeq) continue;
          const pending = visit(record, buffer);
          if (pending !== undefined) await pending;
        }
        seq = Math.max(seq, lastSeqOf(header));
        at += batchSpanBytes(header);
      }
      assert(read.nextPosition > position || seq >= lastSeq, "the log goes on up to its last record");
      position = read.nextPosition;
      if (this.#clock.monotonicMs() - turnMs < spoolTurnMs) continue;
      await new Promise<void>((resolve) => this.#clock.soon(resolve));
      turnMs = this.#clock.monotonicMs();
    }
  }

  #checked(buffer: Buffer, at: number): { readonly header: BatchHeader; readonly records: readonly BatchRecord[] } {
    const header = getBatchHeader(buffer, at, batchMagic.records) as BatchHeader;
    const records = hasSoundHeads(buffer, at, header) ? batchRecords(buffer, at, header) : undefined;
    const isSound = records?.every((record) => hasSoundPayload(buffer, record)) === true;
    if (records === undefined || !isSound) {
      const segment = this.#segments.at(header.position) as SpoolSegment;
      throw damage(
        segment,
        header.position - segment.basePosition,
        `the records ${header.firstSeq} to ${lastSeqOf(header)} do not match their checksums`,
      );
    }
    return { header, records };
  }
}

/** Who stood at the end of a file goes on in the next one, also when the first one is free by then. */
export function reachable(segments: SpoolSegments, position: number): number {
  const found = segments.reachable(position);
  if (found === undefined) throw new ResyncError(`what the spool had at ${position} was released`);
  return found;
}

/** The position of the first batch in the file behind this one. */
export function startBehind(segments: SpoolSegments, segment: SpoolSegment): number {
  const next = segments.at(segment.endPosition - segment.endOffset + segments.segmentBytes);
  assert(next !== undefined, "behind every file but the last there is another");
  return next.basePosition + logFileHeaderBytes;
}

/** The header at `at` in the buffer, read from `offset` in the file. */
export function ownHeader(
  segment: SpoolSegment,
  buffer: Buffer,
  at: number,
  offset: number,
  incarnation: number,
): BatchHeader {
  const header = getBatchHeader(buffer, at, batchMagic.records);
  const isOurs = header?.incarnation === incarnation && header.position === segment.basePosition + offset;
  if (header === undefined || !isOurs) throw damage(segment, offset, "no header of a batch of this place");
  return header;
}

export function damage(segment: SpoolSegment, offset: number, what: string): StopError {
  return new StopError(`the spool is damaged: ${segment.path}, byte ${offset}: ${what}`);
}
