/**
 * The heads of a batch that is to be folded, wherever they lie: in the memory that it was made in, or read back from the
 * spool without its payload. They are gone through in place, since most of what a host writes comes by here.
 */
import { assert } from "#src/core/assert.ts";
import { batchHeaderBytes, blockBytes, recordHeadBytes } from "#src/core/limits.ts";
import { type BatchHeader, batchMagic, getBatchHeader, lastSeqOf } from "#src/records/batch.ts";
import {
  blockCountIn,
  headBytesIn,
  recordTimeIn,
  recordType,
  recordTypeIn,
  startBlockIn,
  volumeIn,
} from "#src/records/record.ts";
import type { Fold } from "./fold.ts";

export interface BatchHeads {
  readonly header: BatchHeader;
  readonly bytes: Buffer;
  /** Where the heads begin in `bytes`. */
  readonly headsAt: number;
  /** Where the payloads begin in the spool. */
  readonly payloadPosition: number;
}

/** Of a batch that this program has made and appended at `position`. */
export function headsInMemory(bytes: Buffer, start: number, position: number): BatchHeads {
  const header = getBatchHeader(bytes, start, batchMagic.records);
  assert(header !== undefined, "what was appended is a batch");
  const headsAt = start + batchHeaderBytes + header.payloadBytes;
  return { header, bytes, headsAt, payloadPosition: position + batchHeaderBytes };
}

export type HeadsSurvey =
  /** Nothing in it but what can be folded. */
  | { readonly kind: "foldable"; readonly rangeCount: number }
  /** It is to be shipped as it is. */
  | { readonly kind: "plain" }
  /** The records do not add up. */
  | { readonly kind: "unsound" };

const plain: HeadsSurvey = { kind: "plain" };
const unsound: HeadsSurvey = { kind: "unsound" };

/** Looks over all heads, so that folding them can take them for what they say. */
export function surveyHeads({ header, bytes, headsAt }: BatchHeads): HeadsSurvey {
  const end = headsAt + header.headsBytes;
  let rangeCount = 0;
  let payloadBytes = 0;
  let isFoldable = true;
  let headAt = headsAt;
  for (let index = 0; index < header.recordCount; index++) {
    if (headAt + recordHeadBytes > end) return unsound;
    const type = recordTypeIn(bytes, headAt);
    if (type === recordType.write) payloadBytes += blockCountIn(bytes, headAt) * blockBytes;
    else if (type === recordType.trim || type === recordType.zero) rangeCount++;
    else if (type !== recordType.flush) isFoldable = false;
    headAt += headBytesIn(bytes, headAt);
  }
  if (headAt !== end || payloadBytes !== header.payloadBytes) return unsound;
  return isFoldable ? { kind: "foldable", rangeCount } : plain;
}

/** Takes in a batch that was surveyed and found foldable, and that there is room for. */
export function foldHeads(fold: Fold, { header, bytes, headsAt, payloadPosition }: BatchHeads): void {
  const { epoch, firstSeq, recordCount, payloadBytes } = header;
  const timeMicros = recordTimeIn(bytes, headsAt);
  fold.beginBatch({ epoch, firstSeq, lastSeq: lastSeqOf(header), timeMicros, payloadBytes });
  let position = payloadPosition;
  let headAt = headsAt;
  for (let index = 0; index < recordCount; index++) {
    const type = recordTypeIn(bytes, headAt);
    if (type !== recordType.flush) {
      const volume = volumeIn(bytes, headAt);
      const startBlock = startBlockIn(bytes, headAt);
      const blockCount = blockCountIn(bytes, headAt);
      if (type === recordType.write) {
        fold.write(volume, startBlock, blockCount, position, bytes, headAt + recordHeadBytes);
        position += blockCount * blockBytes;
      } else if (blockCount > 0) {
        fold.clearRange({
          type: type === recordType.trim ? recordType.trim : recordType.zero,
          volume,
          startBlock,
          blockCount,
        });
      }
    }
    headAt += headBytesIn(bytes, headAt);
  }
}
