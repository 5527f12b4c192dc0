/**
 * Whether the store has just what a part of a group's own journal has: record by record, each as it lies in the sealed pieces,
 * which follow each other. Whoever removes that part here relies on it.
 *
 * Records of pieces that retention has let go of cannot be compared any more. The store had them, and what is left has to follow
 * the last piece of them. Nor can those that were folded, which was done of pieces that had them.
 */
import { RetryError, StopError } from "#src/core/errors.ts";
import type { Files } from "#src/host/files.ts";
import type { ReadableObjects } from "#src/store/objects.ts";
import { JournalFolder } from "./journal-folder.ts";
import { JournalReader, type JournalRecord } from "./journal-reader.ts";
import type { JournalStart } from "./journal-start.ts";
import { piecesInForce } from "./pieces-in-force.ts";
import type { PieceLink } from "./sealed-piece-format.ts";
import { type SealedRecordsPlace, sealedRecords, sealedRecordsBehind } from "./sealed-records.ts";

export interface ConfirmRequest {
  readonly group: string;
  /** Of the group's journals. */
  readonly folder: string;
  /** Of its metadata journal. */
  readonly incarnation: number;
  readonly start: JournalStart;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

export interface ConfirmPlace {
  readonly files: Files;
  readonly objects: ReadableObjects;
  /** Of the store. Undefined: it is not encrypted. */
  readonly key: Buffer | undefined;
  /** The last piece that is expired, as the group's history says; undefined: none is. */
  readonly expired: PieceLink | undefined;
}

/** Answers where a journal begins without these records. Throws a `StopError` where the store has anything else. */
export async function confirmSealed(
  { files, objects, key, expired }: ConfirmPlace,
  request: ConfirmRequest,
): Promise<JournalStart> {
  const { group, incarnation, start, firstSeq, lastSeq } = request;
  const folder = new JournalFolder(request.folder);
  const own = new JournalReader({ files, folder, identity: { group, incarnation }, sealed: undefined, start });
  const place = { objects, group, key };
  const isPartGone = expired !== undefined && firstSeq <= expired.lastSeq;
  const folded = await foldedRanges(place);
  const all = isPartGone ? sealedRecordsBehind(place, expired) : sealedRecords(place, firstSeq - 1);
  const sealed = without(folded, all);
  let last: JournalRecord | undefined;
  try {
    for (const record of own.ownRecords(firstSeq - 1, lastSeq)) {
      const isExpired = isPartGone && record.seq <= expired.lastSeq;
      const isStored = isExpired
        ? record.epoch <= expired.lastEpoch
        : isIn(folded, record.seq) || isSame(record, (await sealed.next()).value ?? undefined);
      if (!isStored) {
        if (isIn(await foldedRanges(place), record.seq)) {
          throw new RetryError(`record ${record.seq} of group ${group} was folded while it was looked for`);
        }
        throw new StopError(`what the store has of group ${group} is not record ${record.seq} of its own journal`);
      }
      last = record;
    }
  } finally {
    await sealed.return();
    own.close();
  }
  if (last?.seq !== lastSeq) throw new StopError(`the journals in ${request.folder} do not have record ${lastSeq}`);
  return { seq: last.seq, epoch: last.epoch, timeMicros: last.timeMicros };
}

interface SeqRange {
  readonly firstSeq: number;
  readonly lastSeq: number;
}

async function foldedRanges({ objects, group }: SealedRecordsPlace): Promise<readonly SeqRange[]> {
  const pieces = await piecesInForce(objects, group);
  return pieces.flatMap(({ firstSeq, folded }) =>
    folded === undefined ? [] : [{ firstSeq, lastSeq: folded.lastSeq }],
  );
}

function isIn(ranges: readonly SeqRange[], seq: number): boolean {
  return ranges.some(({ firstSeq, lastSeq }) => seq >= firstSeq && seq <= lastSeq);
}

async function* without(
  ranges: readonly SeqRange[],
  records: AsyncGenerator<JournalRecord, void>,
): AsyncGenerator<JournalRecord, void> {
  for await (const record of records) if (!isIn(ranges, record.seq)) yield record;
}

function isSame(a: JournalRecord, b: JournalRecord | undefined): boolean {
  return (
    b !== undefined &&
    a.type === b.type &&
    a.volume === b.volume &&
    a.seq === b.seq &&
    a.timeMicros === b.timeMicros &&
    a.startBlock === b.startBlock &&
    a.blockCount === b.blockCount &&
    a.address === b.address &&
    a.epoch === b.epoch &&
    a.ordinal === b.ordinal &&
    a.level === b.level &&
    a.isAggregated === b.isAggregated &&
    a.extra.equals(b.extra)
  );
}
