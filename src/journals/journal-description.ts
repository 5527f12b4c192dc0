/**
 * What lies in a group's journals, for people: pieces, records, segments, and whether each record has its payload. Reads
 * only, and goes on behind damage as far as it can. One item at a time, so that journals of any size can be shown.
 */
import { RefuseError, StopError } from "#src/core/errors.ts";
import { batchAlignmentBytes, logFileHeaderBytes, recordPayloadBytesMax } from "#src/core/limits.ts";
import type { Files } from "#src/host/files.ts";
import { segmentOf } from "#src/records/address.ts";
import { getLogFileHeader, incarnationName, type LogFileHeader, logFileMagic } from "#src/records/log-file.ts";
import { hasPayload } from "#src/records/record.ts";
import { JournalFolder } from "./journal-folder.ts";
import { type JournalStart, wholeJournal } from "./journal-start.ts";
import type { MetadataRecord } from "./metadata-entry.ts";
import { type JournalIdentity, MetadataPiece } from "./metadata-piece.ts";
import { type FoundUnit, unitAt } from "./metadata-unit.ts";
import { type RecordItem, recordItemOf, recordLine } from "./record-description.ts";
import { DamagedBlocksError, SegmentReader } from "./segment-reader.ts";
import { decodeSumsHeader, sumsHeaderBytes } from "./sums-format.ts";

export interface JournalPieceItem {
  readonly kind: "piece";
  readonly path: string;
  readonly sizeBytes: number;
  readonly group: string;
  readonly incarnation: string;
  readonly basePosition: number;
  /** Undefined: its header is damaged. */
  readonly firstSeq?: number;
}

export interface JournalBatchItem {
  readonly kind: "batch" | "aggregate";
  readonly path: string;
  readonly offset: number;
  readonly epoch: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** What was durable when it was written. */
  readonly durableSeq: number;
}

export interface JournalRecordItem extends RecordItem {
  /** Of the volume: blocks whose payload is not what was written. */
  readonly damagedBlocks: readonly number[];
  /** Of its payload: none of its files is there. It is sealed, or lost. */
  readonly absentSegment?: number;
}

/** Something lies there that is no batch, or an aggregate that does not count, since it was not written to its end. */
export interface JournalFlawItem {
  readonly kind: "flaw";
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
  readonly finding: string;
}

export interface JournalSegmentItem {
  readonly kind: "segment";
  readonly segment: number;
  readonly dataBytes: number;
  /** `sound`, or what is wrong with them. */
  readonly sums: string;
}

/** All records up to there are in the store alone. */
export interface JournalStartItem extends JournalStart {
  readonly kind: "start";
}

export type JournalItem =
  | JournalStartItem
  | JournalPieceItem
  | JournalBatchItem
  | JournalRecordItem
  | JournalFlawItem
  | JournalSegmentItem;

/** `folder` is a group's. Throws a `RefuseError` if there are no journals in it, nor were any. */
export function* describeJournal(
  files: Files,
  folderPath: string,
  start: JournalStart = wholeJournal,
): Generator<JournalItem, void> {
  const folder = new JournalFolder(folderPath);
  if (start.seq > 0) yield { kind: "start", ...start };
  if (start.seq > 0 && folder.pieces(files).length === 0) return;
  const header = firstHeader(files, folder);
  const segments = new SegmentReader(files, folder, header.group);
  const payloads = { segments, isThere: (segment: number) => isThere(files, folder, segment) };
  try {
    for (const basePosition of folder.pieces(files)) {
      const piece = new MetadataPiece(files, folder, basePosition, header);
      try {
        yield* describePiece(piece, header, payloads);
      } finally {
        piece.close();
      }
    }
    for (const segment of folder.segments(files)) yield segmentItem(files, folder, segment);
  } finally {
    segments.close();
  }
}

/** Says whose journals they are. */
function firstHeader(files: Files, folder: JournalFolder): LogFileHeader {
  const basePositions = folder.pieces(files);
  if (basePositions.length === 0) throw new RefuseError(`${folder.path} holds no journals`);
  for (const basePosition of basePositions) {
    const bytes = Buffer.alloc(logFileHeaderBytes);
    const handle = files.open(folder.piecePath(basePosition), "read");
    const byteLength = handle.readNow(bytes, 0, bytes.length, 0);
    handle.close();
    const found = getLogFileHeader(bytes.subarray(0, byteLength), logFileMagic.metadata);
    if (found.kind === "sound") return found.header;
  }
  throw new StopError(`no piece in ${folder.metadataPath} has a header that can be read`);
}

interface Payloads {
  readonly segments: SegmentReader;
  readonly isThere: (segment: number) => boolean;
}

function* describePiece(
  piece: MetadataPiece,
  identity: JournalIdentity,
  payloads: Payloads,
): Generator<JournalItem, void> {
  const { path, sizeBytes, basePosition, header } = piece;
  const place = header === undefined ? {} : { firstSeq: header.firstSeq };
  const incarnation = incarnationName(identity.incarnation);
  yield { kind: "piece", path, sizeBytes, group: identity.group, incarnation, basePosition, ...place };
  let flaw: JournalFlawItem | undefined;
  for (let offset = logFileHeaderBytes; offset < sizeBytes; ) {
    const found = unitAt(piece, offset);
    if (found.finding === "sound") {
      if (flaw !== undefined) yield flaw;
      flaw = undefined;
      yield* describeUnit(path, found, payloads);
      offset = found.nextOffset;
      continue;
    }
    const batch = piece.at(offset);
    const finding = batch.finding === "sound" ? "unfinishedAggregate" : batch.finding;
    const nextOffset = batch.finding === "sound" ? batch.nextOffset : offset + batchAlignmentBytes;
    flaw = { kind: "flaw", path, offset, finding, ...flaw, bytes: (flaw?.bytes ?? 0) + nextOffset - offset };
    offset = nextOffset;
  }
  if (flaw !== undefined) yield flaw;
}

function* describeUnit(path: string, found: FoundUnit, payloads: Payloads): Generator<JournalItem, void> {
  const { offset, epoch, firstSeq, lastSeq, durableSeq } = found;
  yield { kind: found.isAggregate ? "aggregate" : "batch", path, offset, epoch, firstSeq, lastSeq, durableSeq };
  // Their extra parts lie in memory that is used again when the piece is read on.
  for (const item of found.records.map((record) => recordItem(record, found.bytes, payloads))) yield item;
}

const payload = Buffer.alloc(recordPayloadBytesMax);

function recordItem(record: MetadataRecord, bytes: Buffer, { segments, isThere }: Payloads): JournalRecordItem {
  const { extraAt, extraBytes, type, address } = record;
  const item = { ...recordItemOf(record, bytes.subarray(extraAt, extraAt + extraBytes)), damagedBlocks: [] };
  if (!hasPayload(type)) return item;
  const segment = segmentOf(address);
  return isThere(segment)
    ? { ...item, damagedBlocks: damagedBlocksOf(record, segments) }
    : { ...item, absentSegment: segment };
}

/** At least one of its files. */
function isThere(files: Files, folder: JournalFolder, segment: number): boolean {
  return files.exists(folder.dataPath(segment)) || files.exists(folder.sumsPath(segment));
}

function damagedBlocksOf(record: MetadataRecord, segments: SegmentReader): readonly number[] {
  try {
    segments.read(record, payload, 0);
    return [];
  } catch (error) {
    if (error instanceof DamagedBlocksError) return error.blocks;
    throw error;
  }
}

function segmentItem(files: Files, folder: JournalFolder, segment: number): JournalSegmentItem {
  const bytes = Buffer.alloc(sumsHeaderBytes);
  const sums = readStart(files, folder.sumsPath(segment), bytes);
  const dataBytes = readStart(files, folder.dataPath(segment), Buffer.alloc(0)) ?? 0;
  const item = { kind: "segment", segment, dataBytes } as const;
  if (sums === undefined) return { ...item, sums: "not there" };
  try {
    const header = decodeSumsHeader(bytes, folder.sumsPath(segment));
    return { ...item, sums: header.segment === segment ? "sound" : `those of segment ${header.segment}` };
  } catch (error) {
    return { ...item, sums: (error as Error).message };
  }
}

/** Answers the file's size; undefined: it is not there. */
function readStart(files: Files, path: string, target: Buffer): number | undefined {
  if (!files.exists(path)) return undefined;
  const handle = files.open(path, "read");
  try {
    handle.readNow(target, 0, target.length, 0);
    return handle.sizeBytesNow();
  } finally {
    handle.close();
  }
}

/** An item as a line of text. */
export function journalLine(item: JournalItem): string {
  switch (item.kind) {
    case "start":
      return `the records up to ${item.seq}, of epoch ${item.epoch}, are in the store alone`;
    case "piece": {
      const start = item.firstSeq === undefined ? "HEADER DAMAGED" : `from record ${item.firstSeq} on`;
      return `piece ${item.path}, ${item.sizeBytes} bytes, group ${item.group}, incarnation ${item.incarnation}, ${start}`;
    }
    case "batch":
    case "aggregate":
      return `  ${item.kind} ${item.firstSeq}-${item.lastSeq} epoch ${item.epoch} at byte ${item.offset}, durable up to ${item.durableSeq}`;
    case "record":
      return recordLine(item) + damageIn(item);
    case "flaw":
      return `  NO BATCH at byte ${item.offset}, ${item.bytes} bytes: ${item.finding}`;
    case "segment":
      return `segment ${item.segment}, ${item.dataBytes} bytes of data, sums ${item.sums}`;
  }
}

function damageIn({ damagedBlocks, absentSegment }: JournalRecordItem): string {
  if (absentSegment !== undefined) return `, segment ${absentSegment} is not here: sealed, or lost`;
  return damagedBlocks.length === 0 ? "" : `, DAMAGED BLOCKS ${damagedBlocks.join(" ")}`;
}
