/** Batches as a local appliance sends them, for tests of what receives them. */
import { batchBytesMax, blockBytes } from "#src/core/limits.ts";
import { BatchBuilder } from "#src/records/batch-builder.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";

export interface SentRecord {
  readonly type?: number;
  readonly volume?: number;
  readonly startBlock?: number;
  /** Of a write: as many blocks of payload, whose bytes follow from `content`. */
  readonly blockCount?: number;
  readonly content?: number;
  readonly ordinal?: number;
  readonly extra?: object;
}

export interface SentBatch {
  readonly epoch?: number;
  readonly firstSeq: number;
  readonly timeMicros?: number;
}

/** The block that a record of this content has at this place. */
export function blockOf(content: number, block: number): Buffer {
  const bytes = Buffer.alloc(blockBytes, (content * 31 + block) & 0xff);
  bytes.writeUInt32LE(content >>> 0, 0);
  bytes.writeUInt32LE(block, 4);
  return bytes;
}

export function payloadOf(content: number, blockCount: number): Buffer {
  return Buffer.concat(Array.from({ length: blockCount }, (_, block) => blockOf(content, block)));
}

const builder = new BatchBuilder();
const memory = Buffer.alloc(batchBytesMax);

export function wireBatch(batch: SentBatch, records: readonly SentRecord[]): Buffer {
  builder.begin(memory, 0);
  for (const [index, record] of records.entries()) {
    const { type = recordType.write, volume = 1, startBlock = 0, blockCount = 1 } = record;
    const ordinal = record.ordinal ?? batch.firstSeq + index;
    const content = record.content ?? batch.firstSeq + index;
    const head = { type, volume, startBlock, blockCount, ordinal };
    if (type === recordType.write) builder.addWrite(head, payloadOf(content, blockCount), 0);
    else builder.add(head, record.extra === undefined ? undefined : encodeExtra(record.extra));
  }
  const spanBytes = builder.finish({
    epoch: batch.epoch ?? 1,
    firstSeq: batch.firstSeq,
    timeMicros: batch.timeMicros ?? batch.firstSeq * 1000,
    incarnation: 7,
    position: 0,
    durableSeq: 0,
  });
  return Buffer.from(memory.subarray(0, spanBytes));
}

/** The first batch of an epoch, with the record that makes its jump legal. */
export function epochBatch(epoch: number, firstSeq: number, previousEpoch: number, previousLastSeq: number): Buffer {
  const extra = { previousEpoch, previousLastSeq };
  return wireBatch({ epoch, firstSeq }, [{ type: recordType.epoch, volume: 0, blockCount: 0, ordinal: 0, extra }]);
}
