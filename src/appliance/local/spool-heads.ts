/**
 * Reads what a spool says of its records without what they brought: header and heads of one batch after the other. Reads
 * ahead a little, so that many small batches cost one read, and skips the payload of large ones.
 */
import { batchHeaderBytes, logFileHeaderBytes, spoolHeadsReadBytes } from "#src/core/limits.ts";
import { areHeadsOf, type BatchHeader, batchSpanBytes, lastSeqOf } from "#src/records/batch.ts";
import type { BatchHeads } from "./batch-heads.ts";
import { damage, ownHeader, reachable, startBehind } from "./spool-reader.ts";
import type { SpoolSegment } from "./spool-segment.ts";
import type { SpoolSegments } from "./spool-segments.ts";

/** Its bytes stay as they are until the next one is read. */
export interface FoundBatch extends BatchHeads {
  readonly position: number;
  readonly spanBytes: number;
  /** Where to look for the next one. */
  readonly nextPosition: number;
}

export class SpoolHeads {
  readonly #segments: SpoolSegments;
  readonly #incarnation: number;
  readonly #header = Buffer.alloc(batchHeaderBytes);
  /** What the log holds from `#windowStart` on, before `#windowEnd`; both are positions. */
  #window: Buffer | undefined;
  #windowStart = 0;
  #windowEnd = 0;

  constructor(segments: SpoolSegments, incarnation: number) {
    this.#segments = segments;
    this.#incarnation = incarnation;
  }

  /** The batch that begins at `position`, or at the beginning of the file behind it. Undefined: the log ends there. */
  at(from: number): FoundBatch | undefined {
    const { current } = this.#segments;
    const position = reachable(this.#segments, from);
    const segment = this.#segments.at(position);
    if (segment === undefined) return undefined;
    const offset = Math.max(position - segment.basePosition, logFileHeaderBytes);
    if (offset < segment.endOffset) return this.#found(segment, offset);
    return segment === current ? undefined : this.at(startBehind(this.#segments, segment));
  }

  #found(segment: SpoolSegment, offset: number): FoundBatch {
    const position = segment.basePosition + offset;
    const headerAt = this.#sought(segment, position, batchHeaderBytes);
    const header = ownHeader(segment, this.#bytes, headerAt, offset, this.#incarnation);
    this.#bytes.copy(this.#header, 0, headerAt, headerAt + batchHeaderBytes);
    const payloadPosition = position + batchHeaderBytes;
    const headsAt = this.#sought(segment, payloadPosition + header.payloadBytes, header.headsBytes);
    if (!areHeadsOf(this.#header, 0, header, this.#bytes, headsAt)) throw unsoundHeads(segment, header);
    const spanBytes = batchSpanBytes(header);
    const nextPosition = position + spanBytes;
    return { header, bytes: this.#bytes, headsAt, payloadPosition, position, spanBytes, nextPosition };
  }

  get #bytes(): Buffer {
    this.#window ??= Buffer.allocUnsafeSlow(spoolHeadsReadBytes);
    return this.#window;
  }

  /** Where in the window the bytes of this position lie now. */
  #sought(segment: SpoolSegment, position: number, byteLength: number): number {
    if (position >= this.#windowStart && position + byteLength <= this.#windowEnd) return position - this.#windowStart;
    const offset = position - segment.basePosition;
    const count = Math.min(this.#bytes.length, segment.endOffset - offset);
    const readBytes = this.#segments.readNow(segment, this.#bytes, count, offset);
    this.#windowStart = position;
    this.#windowEnd = position + readBytes;
    if (readBytes < byteLength) throw damage(segment, offset + readBytes, "the file ends too early");
    return 0;
  }
}

function unsoundHeads(segment: SpoolSegment, header: BatchHeader): Error {
  const offset = header.position - segment.basePosition;
  return damage(segment, offset, `the records ${header.firstSeq} to ${lastSeqOf(header)} do not match their checksums`);
}
