/**
 * What lies in a spool's folder, for people: every file, every batch and record of the log, and how the log ends. Reads
 * only, and goes on behind damage as far as it can. One item at a time, so that a spool of any size can be shown.
 */
import { RefuseError } from "#src/core/errors.ts";
import { batchBytesMax } from "#src/core/limits.ts";
import type { Files } from "#src/host/files.ts";
import {
  type BatchHeader,
  type BatchRecord,
  batchRecords,
  batchSpanBytes,
  hasSoundHeads,
  hasSoundPayload,
  lastSeqOf,
} from "#src/records/batch.ts";
import { incarnationName, type LogFileHeader } from "#src/records/log-file.ts";
import { type LogBatch, type LogEnd, recoverLog } from "#src/records/log-recovery.ts";
import { decodeExtra, recordTypeName } from "#src/records/record.ts";
import { type SpoolFile, spoolFiles, spoolRow, spoolScan } from "./spool-folder.ts";

export interface SpoolFileItem {
  readonly kind: "file";
  readonly path: string;
  readonly sizeBytes: number;
  /** `sound`, or what is wrong with its header; `blank`: it was never begun. */
  readonly header: string;
  readonly group?: string;
  readonly incarnation?: string;
  readonly basePosition?: number;
  readonly fullBytes?: number;
  readonly firstSeq?: number;
  readonly releasedSeq?: number;
}

export interface SpoolBatchItem {
  readonly kind: "batch";
  readonly path: string;
  readonly offset: number;
  readonly position: number;
  readonly bytes: number;
  readonly epoch: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly durableSeq: number;
  /** Whether it belongs to the log; if not, it lies behind its end. */
  readonly isInLog: boolean;
  readonly isSound: boolean;
}

export interface SpoolRecordItem {
  readonly kind: "record";
  readonly seq: number;
  readonly epoch: number;
  readonly type: string;
  readonly volume: number;
  readonly startBlock: number;
  readonly blockCount: number;
  readonly timeMicros: number;
  readonly ordinal: number;
  /** Whether the payload is what was written. */
  readonly isSound: boolean;
  readonly extra?: Record<string, unknown>;
}

export interface SpoolEndItem {
  readonly kind: "end";
  /** `end`, `tail` (something was written and is not part of the log) or `damage`. */
  readonly decision: LogEnd["decision"];
  readonly path: string;
  readonly offset: number;
  readonly position: number;
  readonly lastSeq: number;
  readonly durableSeq: number;
  readonly beyondRecordCount: number;
  readonly message: string;
}

export type SpoolItem = SpoolFileItem | SpoolBatchItem | SpoolRecordItem | SpoolEndItem;

/** Throws a `RefuseError` if there is no spool, and a `StopError` if its headers do not fit together. */
export function* describeSpool(files: Files, folder: string): Generator<SpoolItem, void> {
  const found = spoolFiles(files, folder, "read");
  if (found.length === 0) throw new RefuseError(`${folder} holds no spool`);
  try {
    for (const file of found) yield fileItem(file);
    const headers = found.flatMap((file) => (file.found.kind === "sound" ? [file.found.header] : []));
    const newest = headers.sort((one, other) => other.basePosition - one.basePosition)[0];
    if (newest === undefined) throw new RefuseError(`no file in ${folder} has a header that can be read`);
    yield* describeLog(folder, found, newest);
  } finally {
    for (const { segment } of found) segment.close();
  }
}

function* describeLog(folder: string, found: readonly SpoolFile[], log: LogFileHeader): Generator<SpoolItem, void> {
  const own = found.filter((file) => file.found.kind !== "sound" || isOfLog(file.found.header, log));
  const headers = own.flatMap((file) => (file.found.kind === "sound" ? [file.found.header] : []));
  const events = recoverLog(spoolScan(own, spoolRow(folder, headers), log.incarnation, 0));
  const buffer = Buffer.allocUnsafeSlow(batchBytesMax);
  for (;;) {
    const step = events.next();
    if (step.done === true) {
      yield endItem(step.value);
      return;
    }
    const event = step.value;
    if (event.kind === "batch") {
      yield* describeBatch(event, event.bytes, event.start, true);
    } else if (event.kind === "beyond") {
      const spanBytes = batchSpanBytes(event.header);
      buffer.fill(0, event.part.readNow(buffer, 0, spanBytes, event.offset), spanBytes);
      yield* describeBatch(event, buffer, 0, false);
    }
  }
}

function isOfLog(header: LogFileHeader, log: LogFileHeader): boolean {
  return header.group === log.group && header.incarnation === log.incarnation;
}

function fileItem({ segment, found, sizeBytes }: SpoolFile): SpoolFileItem {
  const base = { kind: "file", path: segment.path, sizeBytes } as const;
  if (found.kind === "otherVersion") return { ...base, header: `version ${found.version}, not known` };
  if (found.kind !== "sound") return { ...base, header: found.kind === "otherKind" ? "of another kind" : found.kind };
  const { group, incarnation, basePosition, fullBytes, firstSeq, releasedSeq } = found.header;
  const place = { basePosition, fullBytes, firstSeq, releasedSeq };
  return { ...base, header: "sound", group, incarnation: incarnationName(incarnation), ...place };
}

function* describeBatch(
  { header, part, offset }: LogBatch,
  bytes: Buffer,
  start: number,
  isInLog: boolean,
): Generator<SpoolItem, void> {
  const records = hasSoundHeads(bytes, start, header) ? batchRecords(bytes, start, header) : undefined;
  const sound = records?.map((record) => hasSoundPayload(bytes, record));
  yield {
    kind: "batch",
    path: part.path,
    offset,
    position: header.position,
    bytes: batchSpanBytes(header),
    epoch: header.epoch,
    firstSeq: header.firstSeq,
    lastSeq: lastSeqOf(header),
    durableSeq: header.durableSeq,
    isInLog,
    isSound: sound?.every((isSound) => isSound) === true,
  };
  for (const [index, record] of (records ?? []).entries()) {
    yield recordItem(bytes, record, header, sound?.[index] === true);
  }
}

function recordItem(bytes: Buffer, record: BatchRecord, header: BatchHeader, isSound: boolean): SpoolRecordItem {
  const { seq, type, volume, startBlock, blockCount, timeMicros, ordinal, extraAt, extraBytes } = record;
  const extra = extraBytes === 0 ? undefined : decodeExtra(bytes.subarray(extraAt, extraAt + extraBytes));
  const item = { seq, epoch: header.epoch, type: recordTypeName(type), volume, startBlock, blockCount };
  return { kind: "record", ...item, timeMicros, ordinal, isSound, ...(extra === undefined ? {} : { extra }) };
}

function endItem(end: LogEnd): SpoolEndItem {
  const { decision, path, offset, place, claimedSeq, beyondRecordCount, message } = end;
  const { position, lastSeq } = place;
  return { kind: "end", decision, path, offset, position, lastSeq, durableSeq: claimedSeq, beyondRecordCount, message };
}

/** An item as a line of text. */
export function spoolLine(item: SpoolItem): string {
  switch (item.kind) {
    case "file":
      return fileLine(item);
    case "batch": {
      const flaws = [...(item.isSound ? [] : ["NOT SOUND"]), ...(item.isInLog ? [] : ["behind the end of the log"])];
      const range = `batch ${item.firstSeq}-${item.lastSeq} epoch ${item.epoch} at ${item.position}, ${item.bytes} bytes`;
      return [`  ${range}, durable up to ${item.durableSeq}`, ...flaws].join(", ");
    }
    case "record":
      return recordLine(item);
    case "end":
      return `${item.decision}: ${item.message}; last record ${item.lastSeq}, known durable up to ${item.durableSeq}`;
  }
}

function fileLine(item: SpoolFileItem): string {
  const start = `file ${item.path}, ${item.sizeBytes} bytes, header ${item.header}`;
  if (item.group === undefined) return start;
  const place = `from position ${item.basePosition} and record ${item.firstSeq} on, released up to ${item.releasedSeq}`;
  return `${start}, group ${item.group}, incarnation ${item.incarnation}, ${place}`;
}

function recordLine(item: SpoolRecordItem): string {
  const time = new Date(Math.floor(item.timeMicros / 1000)).toISOString();
  const micros = String(item.timeMicros % 1000).padStart(3, "0");
  const blocks = item.blockCount === 0 ? "" : ` blocks ${item.startBlock}+${item.blockCount}`;
  const extra = item.extra === undefined ? "" : ` ${JSON.stringify(item.extra)}`;
  const flaw = item.isSound ? "" : ", NOT SOUND";
  const when = `${time.slice(0, -1)}${micros}Z`;
  return `    ${item.seq} ${when} ${item.type} volume ${item.volume}${blocks} ordinal ${item.ordinal}${extra}${flaw}`;
}
