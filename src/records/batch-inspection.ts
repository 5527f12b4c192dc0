/** Whether a batch whose heads are sound is what was written as a whole, and what it says of the order before it. */
import type { BatchHeader } from "./batch.ts";
import { batchRecords, hasSoundPayload } from "./batch.ts";
import { decodeExtra, recordType } from "./record.ts";

/** What an epoch follows. */
export interface PreviousEpoch {
  readonly epoch: number;
  readonly lastSeq: number;
}

export interface BatchInspection {
  /** Only where the batch begins an epoch. */
  readonly previous: PreviousEpoch | undefined;
}

/** Undefined: the batch is not what was written. Each kind of batch has its own. */
export type InspectBatch = (bytes: Buffer, start: number, header: BatchHeader) => BatchInspection | undefined;

export const inspectRecords: InspectBatch = (bytes, start, header) => {
  const records = batchRecords(bytes, start, header);
  if (records === undefined || !records.every((record) => hasSoundPayload(bytes, record))) return undefined;
  const first = records[0];
  if (first?.type !== recordType.epoch) return { previous: undefined };
  return { previous: previousEpochOf(bytes.subarray(first.extraAt, first.extraAt + first.extraBytes)) };
};

/** From the extra part of an `epoch` record. */
export function previousEpochOf(extra: Buffer): PreviousEpoch | undefined {
  const { previousEpoch, previousLastSeq } = decodeExtra(extra) ?? {};
  if (!isCount(previousEpoch) || !isCount(previousLastSeq)) return undefined;
  return { epoch: previousEpoch, lastSeq: previousLastSeq };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
