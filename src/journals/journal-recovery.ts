/**
 * What a group's journals hold after a start: the records up to the first place where they do not go on. What was never
 * promised may end there, and is cut off; where something is missing that was durable, nothing is touched (`StopError`).
 * Beyond what is known to be durable a record counts only with its payload, and an aggregate only whole, with all of its
 * payload. All that is found is durable afterwards.
 *
 * Whenever it is interrupted, it finds the same again: it only drops what it would drop anew.
 */

import { StopError } from "#src/core/errors.ts";
import { logFileHeaderBytes, recordPayloadBytesMax } from "#src/core/limits.ts";
import type { Files } from "#src/host/files.ts";
import { whenDone } from "#src/host/when-done.ts";
import { segmentOf } from "#src/records/address.ts";
import { type LogEvidence, type LogFinding, logDecision } from "#src/records/log-recovery-table.ts";
import { hasPayload } from "#src/records/record.ts";
import { DirtyFiles } from "./dirty-files.ts";
import type { JournalFolder } from "./journal-folder.ts";
import { type JournalStart, wholeJournal } from "./journal-start.ts";
import { type CursorEnd, MetadataCursor } from "./metadata-cursor.ts";
import type { MetadataRecord } from "./metadata-entry.ts";
import { type JournalIdentity, MetadataPiece } from "./metadata-piece.ts";
import type { FoundUnit } from "./metadata-unit.ts";
import { piecesUpTo } from "./piece-ranges.ts";
import { DamagedBlocksError, SegmentReader } from "./segment-reader.ts";

export interface JournalRecoveryParts {
  readonly files: Files;
  readonly folder: JournalFolder;
  readonly identity: JournalIdentity;
  /** Where to begin: it, and all before it, is durable. */
  readonly checkpointSeq: number;
  /** Known to be durable by other means; at least `checkpointSeq`. */
  readonly durableSeq: number;
  /** Undefined: the journals have all from the first record on. */
  readonly start?: JournalStart;
  /** Called for each record behind `checkpointSeq` that counts, in order. Its extra part lies at `extraAt` in `bytes`. */
  readonly see: (record: MetadataRecord, bytes: Buffer) => void;
  /** To find the same again is then no sign that it is on the disk. */
  readonly syncFailed?: (error: Error) => void;
}

export interface RecoveredJournals {
  /** All up to here is there, and durable. */
  readonly lastSeq: number;
  readonly epoch: number;
  readonly timeMicros: number;
  /** In the metadata journal: no position before this is free. */
  readonly endPosition: number;
  /** Of the metadata journal. */
  readonly droppedBytes: number;
}

/** Where the records end that count. */
interface JournalEnd {
  readonly basePosition: number;
  readonly offset: number;
}

interface Walk {
  lastSeq: number;
  epoch: number;
  timeMicros: number;
  end: JournalEnd;
  /** Of records that are not known to be durable. */
  readonly segments: Set<number>;
  /** The first piece that was looked at; those before it are durable. */
  readonly firstBasePosition: number;
}

export async function recoverJournals(parts: JournalRecoveryParts): Promise<RecoveredJournals> {
  await removeLeftovers(parts);
  const floorSeq = judgeMetadata(parts);
  const walk = walkRecords(parts, floorSeq);
  const basePositions = parts.folder.pieces(parts.files);
  const endPosition = endPositionOf(parts, basePositions);
  const droppedBytes = await settle(parts, basePositions, walk);
  return { lastSeq: walk.lastSeq, epoch: walk.epoch, timeMicros: walk.timeMicros, endPosition, droppedBytes };
}

/**
 * Pieces of records that are in the store alone: they were to be removed when that was noted. Their own headers, and not the
 * records in them, say where each ends. Who noted it may have been killed before the note had its name for good, and a loss
 * of power would then take it back, and not what is removed: so its name is made durable first.
 */
async function removeLeftovers({ files, folder, identity, start = wholeJournal }: JournalRecoveryParts): Promise<void> {
  if (start.seq === 0) return;
  const leftover = piecesUpTo({ files, folder, identity }, start.seq);
  if (leftover.length === 0) return;
  await whenDone((done) => files.syncFolder(folder.path, done));
  for (const { basePosition } of leftover) files.remove(folder.piecePath(basePosition));
  await whenDone((done) => files.syncFolder(folder.metadataPath, done));
}

/** Answers up to which seq the journal says that it is durable, or throws where it is not. */
function judgeMetadata(parts: JournalRecoveryParts): number {
  const { files, folder, identity, checkpointSeq, durableSeq, start = wholeJournal } = parts;
  const cursor = new MetadataCursor(files, folder, identity, firstSeqFor(checkpointSeq), start);
  try {
    if (cursor.expectedSeq > Math.max(firstSeqFor(checkpointSeq), start.seq + 1))
      throw damage(folder, "nothing", cursor.expectedSeq, durableSeq);
    let claimedSeq = 0;
    let found = cursor.next();
    for (; found.finding === "sound"; found = cursor.next()) claimedSeq = Math.max(claimedSeq, found.durableSeq);
    const later = laterEvidence(parts, found);
    claimedSeq = Math.max(claimedSeq, later.claimedSeq);
    let evidence: LogEvidence = later.batchCount > 0 ? "later" : "none";
    if (claimedSeq >= cursor.expectedSeq) evidence = "claimed";
    if (durableSeq >= cursor.expectedSeq) evidence = "known";
    if (logDecision(found.finding, evidence) === "damage") {
      throw damage(folder, found.finding, cursor.expectedSeq, Math.max(claimedSeq, durableSeq));
    }
    return Math.max(claimedSeq, durableSeq);
  } finally {
    cursor.close();
  }
}

/** With the last one that is known: it says in which epoch the journal goes on. */
function firstSeqFor(checkpointSeq: number): number {
  return Math.max(1, checkpointSeq);
}

function damage(folder: JournalFolder, finding: LogFinding, seq: number, durableSeq: number): StopError {
  const what = finding === "unreadable" ? "cannot be read" : "is damaged";
  return new StopError(
    `${folder.metadataPath} ${what} (${finding}) where record ${seq} should be, and the records up to ${durableSeq} were durable`,
  );
}

/** What the batches behind the end say; nothing but their number and what they knew to be durable counts. */
function laterEvidence(parts: JournalRecoveryParts, end: CursorEnd): { batchCount: number; claimedSeq: number } {
  const { files, folder, identity } = parts;
  let batchCount = 0;
  let claimedSeq = 0;
  for (const basePosition of folder.pieces(files)) {
    if (basePosition < end.basePosition) continue;
    const piece = new MetadataPiece(files, folder, basePosition, identity);
    try {
      const offset = basePosition === end.basePosition ? end.offset : logFileHeaderBytes;
      for (const header of piece.headersFrom(offset)) {
        batchCount++;
        claimedSeq = Math.max(claimedSeq, header.durableSeq);
      }
    } finally {
      piece.close();
    }
  }
  return { batchCount, claimedSeq };
}

/** Goes over the records once more, as far as each has its payload. */
function walkRecords(parts: JournalRecoveryParts, floorSeq: number): Walk {
  const { files, folder, identity, checkpointSeq, start = wholeJournal } = parts;
  const cursor = new MetadataCursor(files, folder, identity, firstSeqFor(checkpointSeq), start);
  const segments = new SegmentReader(files, folder, identity.group);
  const walk: Walk = {
    lastSeq: cursor.expectedSeq - 1,
    epoch: start.epoch,
    timeMicros: start.timeMicros,
    end: { basePosition: 0, offset: 0 },
    segments: new Set(),
    firstBasePosition: cursor.basePosition,
  };
  try {
    for (let found = cursor.next(); ; found = cursor.next()) {
      walk.end = { basePosition: cursor.basePosition, offset: found.offset };
      if (found.finding !== "sound") return walk;
      if (found.lastSeq > floorSeq && !hasPayloads(found, segments, walk)) {
        if (found.firstSeq > floorSeq) return walk;
        throw damage(folder, "brokenPayload", found.firstSeq, floorSeq);
      }
      accept(parts, found, walk);
    }
  } finally {
    cursor.close();
    segments.close();
  }
}

function hasPayloads(found: FoundUnit, segments: SegmentReader, walk: Walk): boolean {
  for (const record of found.records) {
    if (!hasPayload(record.type)) continue;
    try {
      segments.read(record, landing, 0);
    } catch (error) {
      if (error instanceof DamagedBlocksError) return false;
      throw error;
    }
    walk.segments.add(segmentOf(record.address));
  }
  return true;
}

const landing = Buffer.alloc(recordPayloadBytesMax);

function accept(parts: JournalRecoveryParts, found: FoundUnit, walk: Walk): void {
  for (const record of found.records) {
    walk.timeMicros = record.timeMicros;
    if (record.seq > parts.checkpointSeq) parts.see(record, found.bytes);
  }
  walk.lastSeq = found.lastSeq;
  walk.epoch = found.epoch;
}

/** Behind all pieces that were ever there, as far as is known: also behind those that are dropped now. */
function endPositionOf({ files, folder, identity }: JournalRecoveryParts, basePositions: readonly number[]): number {
  const lastBase = basePositions.at(-1);
  if (lastBase === undefined) return 0;
  const piece = new MetadataPiece(files, folder, lastBase, identity);
  piece.close();
  return lastBase + Math.max(piece.header?.fullBytes ?? 0, piece.sizeBytes, 1);
}

/** Drops what does not count, makes the rest durable. Answers how many bytes were dropped. */
async function settle(parts: JournalRecoveryParts, basePositions: readonly number[], walk: Walk): Promise<number> {
  const { files, folder } = parts;
  const dirty = new DirtyFiles(files);
  dirty.named(folder.path);
  dirty.named(folder.metadataPath);
  dirty.named(folder.segmentsPath);
  let droppedBytes = 0;
  for (const basePosition of basePositions) {
    if (basePosition < walk.firstBasePosition) continue;
    const path = folder.piecePath(basePosition);
    const isBehind = basePosition > walk.end.basePosition || walk.end.offset <= logFileHeaderBytes;
    if (basePosition >= walk.end.basePosition && isBehind) {
      droppedBytes += sizeOf(files, path);
      files.remove(path);
      continue;
    }
    const handle = files.open(path, "readWrite");
    if (basePosition === walk.end.basePosition && handle.sizeBytesNow() > walk.end.offset) {
      droppedBytes += handle.sizeBytesNow() - walk.end.offset;
      handle.truncateNow(walk.end.offset);
    }
    dirty.written(handle);
    dirty.retire(handle);
  }
  for (const segment of walk.segments) {
    for (const path of [folder.dataPath(segment), folder.sumsPath(segment)]) {
      const handle = files.open(path, "readWrite");
      dirty.written(handle);
      dirty.retire(handle);
    }
  }
  await whenDone((done) =>
    dirty.sync((error) => {
      if (error !== null) parts.syncFailed?.(error);
      done(error);
    }),
  );
  return droppedBytes;
}

function sizeOf(files: Files, path: string): number {
  const handle = files.open(path, "read");
  const sizeBytes = handle.sizeBytesNow();
  handle.close();
  return sizeBytes;
}
