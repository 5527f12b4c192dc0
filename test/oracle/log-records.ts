/** The records in the batches of a log, in their order, checked for what docs/formats.md promises of order and epochs. */
import { isSummed } from "./byte-sum.ts";
import {
  type Batch,
  filesUnder,
  type LogFile,
  type LogKind,
  le64,
  readLogFile,
  typeNumber,
} from "./log-file-reader.ts";

export const blockBytes = 4096;
const headBytes = 40;
const entryBytes = 64;
const sumBytes = 8;

export interface LoggedRecord {
  readonly seq: number;
  readonly epoch: number;
  readonly type: number;
  readonly volume: number;
  readonly timeMicros: number;
  readonly startBlock: number;
  readonly blockCount: number;
  readonly ordinal: number;
  readonly extra: Readonly<Record<string, unknown>> | undefined;
  /** A spool's writes carry their payload; its checksums were found right. */
  readonly payload?: Buffer;
  /** In a metadata journal: where the payload's first block is; 0 for none. */
  readonly address?: number;
  /** In a metadata journal: what it is a part of. The same for all of its records, which have its last seq. */
  readonly aggregate?: LoggedAggregate;
}

/** Records `firstSeq` to `lastSeq`, applied as one. */
export interface LoggedAggregate {
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** What counts as one: a batch, or an aggregate. */
interface LoggedUnit {
  readonly firstSeq: number;
  readonly records: readonly LoggedRecord[];
}

export interface Log {
  readonly kind: LogKind;
  readonly group: string;
  readonly records: readonly LoggedRecord[];
  /** What the log itself says was durable when its last batch was written. */
  readonly durableSeq: number;
  readonly lastSeq: number;
}

/**
 * The logs of a kind under a folder, one for each incarnation. A log ends at the first place where it does not go on; if
 * anything in it says that more was durable, that is an error.
 */
export function readLogs(folder: string, kind: LogKind): Log[] {
  const files = filesUnder(folder).flatMap((path) => readLogFile(path, kind) ?? []);
  const ofEach = Map.groupBy(files, (file) => `${file.group} ${file.incarnation}`);
  return [...ofEach.values()].map((ofOne) => joinFiles(ofOne.toSorted((a, b) => a.base - b.base)));
}

function joinFiles(all: readonly LogFile[]): Log {
  const releasedSeq = Math.max(...all.map((file) => file.releasedSeq));
  // Pieces of a metadata journal are never used again, and a start may pass over a position.
  const files = (all[0] as LogFile).kind === "spool" ? newestRow(all) : all;
  const { group, kind, path, firstSeq } = files[0] as LogFile;
  if (firstSeq > releasedSeq + 1) throw new Error(`${path} is the oldest of its log, and one before it is missing`);
  const records: LoggedRecord[] = [];
  let last: LoggedRecord | undefined;
  for (const file of files) {
    // Where one file does not go on, the next one may.
    for (const unit of unitsOf(file)) {
      const [first] = unit.records;
      if (first === undefined || !follows(last, { ...first, seq: unit.firstSeq }, firstSeq)) break;
      if (first.timeMicros < (last?.timeMicros ?? 0)) throw new Error(`seq ${first.seq}: time goes back`);
      records.push(...unit.records);
      last = unit.records.at(-1);
    }
  }
  const lastSeq = last?.seq ?? firstSeq - 1;
  const durableSeq = Math.max(releasedSeq, ...files.map((file) => file.claimedSeq));
  if (lastSeq < durableSeq) {
    throw new Error(`the ${kind} of group ${group} ends at ${lastSeq}, and says that ${durableSeq} was durable`);
  }
  return { kind, group, records, durableSeq, lastSeq };
}

/** Files that follow each other; older ones wait to be used again. */
function newestRow(files: readonly LogFile[]): readonly LogFile[] {
  const breakAt = files.findLastIndex((file, index) => {
    const next = files[index + 1];
    return next !== undefined && file.base + file.fullBytes !== next.base;
  });
  return files.slice(breakAt + 1);
}

/** One by one, up to a batch whose payload is not whole, or an aggregate without its end. */
function* unitsOf(file: LogFile): Generator<LoggedUnit> {
  let open: LoggedRecord[] = [];
  for (const batch of file.batches) {
    const { firstSeq, isOfAggregate } = batch;
    const records = file.kind === "spool" ? spooled(batch) : entries(batch, open[0]?.aggregate);
    if (records === undefined) return;
    const first = open[0] ?? records[0];
    const isOfOne = isOfAggregate && records.every((record) => isOfSame(first, record));
    if (open.length > 0 && !isOfOne) return;
    open.push(...records);
    if (isOfAggregate && records.at(-1)?.type !== typeNumber.aggregate) continue;
    yield { firstSeq, records: open };
    open = [];
  }
}

function isOfSame(a: LoggedRecord | undefined, b: LoggedRecord): boolean {
  return a?.aggregate?.firstSeq === b.aggregate?.firstSeq && a?.seq === b.seq && a.timeMicros === b.timeMicros;
}

/** Within an epoch seqs have no gaps; an epoch says what it follows. */
function follows(last: LoggedRecord | undefined, next: LoggedRecord, firstSeq: number): boolean {
  if (last === undefined) return next.type === typeNumber.epoch ? next.seq >= firstSeq : next.seq === firstSeq;
  if (next.epoch === last.epoch) return next.seq === last.seq + 1;
  const isEpoch = next.type === typeNumber.epoch && next.epoch > last.epoch && next.seq > last.seq;
  const { previousEpoch, previousLastSeq } = next.extra ?? {};
  // Where a spool was lost, nobody knew what there was before.
  return isEpoch && (previousLastSeq === 0 || (previousEpoch === last.epoch && previousLastSeq === last.seq));
}

/** Undefined: a payload is not what its checksums say. Anything else that is wrong behind a right checksum is an error. */
function spooled({ heads, payload, recordCount, epoch, firstSeq }: Batch): LoggedRecord[] | undefined {
  const records: LoggedRecord[] = [];
  let at = 0;
  let payloadAt = 0;
  for (let index = 0; index < recordCount; index++) {
    const type = heads.readUInt8(at);
    const blockCount = heads.readUInt32LE(at + 32);
    const payloadBlocks = type === typeNumber.write ? blockCount : 0;
    const sumsAt = at + headBytes;
    for (let block = 0; block < payloadBlocks; block++) {
      const from = payloadAt + block * blockBytes;
      if (!isSummed(payload, from, from + blockBytes, heads, sumsAt + block * sumBytes)) return undefined;
    }
    const extraAt = sumsAt + payloadBlocks * sumBytes;
    const extraBytes = heads.readUInt16LE(at + 2);
    const payloadEnd = payloadAt + payloadBlocks * blockBytes;
    records.push({
      seq: firstSeq + index,
      epoch,
      type,
      volume: heads.readUInt32LE(at + 4),
      timeMicros: le64(heads, at + 8),
      startBlock: le64(heads, at + 16),
      ordinal: le64(heads, at + 24),
      blockCount,
      extra: extraOf(heads.subarray(extraAt, extraAt + extraBytes)),
      ...(payloadBlocks === 0 ? {} : { payload: payload.subarray(payloadAt, payloadEnd) }),
    });
    at = extraAt + extraBytes;
    payloadAt = payloadEnd;
  }
  if (at !== heads.length || payloadAt !== payload.length) throw new Error(`the batch of ${firstSeq} does not add up`);
  return records;
}

/** `open`: an aggregate that the batch may go on with. */
function entries(batch: Batch, open: LoggedAggregate | undefined): LoggedRecord[] {
  const { heads, recordCount, epoch, firstSeq, isOfAggregate } = batch;
  const aggregate = open?.firstSeq === firstSeq ? open : { firstSeq, lastSeq: le64(heads, 8) };
  const records: LoggedRecord[] = [];
  let extraAt = recordCount * entryBytes;
  for (let index = 0; index < recordCount; index++) {
    const at = index * entryBytes;
    const extraBytes = heads.readUInt16LE(at + 2);
    const record = {
      seq: le64(heads, at + 8),
      epoch: heads.readUInt32LE(at + 44),
      type: heads.readUInt8(at),
      volume: heads.readUInt32LE(at + 4),
      timeMicros: le64(heads, at + 16),
      startBlock: le64(heads, at + 24),
      address: le64(heads, at + 32),
      blockCount: heads.readUInt32LE(at + 40),
      ordinal: le64(heads, at + 48),
      extra: extraOf(heads.subarray(extraAt, extraAt + extraBytes)),
    };
    const seq = isOfAggregate ? aggregate.lastSeq : firstSeq + index;
    const isEndElsewhere = record.type === typeNumber.aggregate && !(isOfAggregate && index === recordCount - 1);
    if (record.seq !== seq || record.epoch !== epoch || isEndElsewhere) {
      throw new Error(
        `entry ${index} of the batch of ${firstSeq} says that it is seq ${record.seq} of ${record.epoch}`,
      );
    }
    records.push(isOfAggregate ? { ...record, aggregate } : record);
    extraAt += extraBytes;
  }
  if (extraAt !== heads.length) throw new Error(`the entries of the batch of ${firstSeq} do not add up`);
  return records;
}

function extraOf(bytes: Buffer): Record<string, unknown> | undefined {
  if (bytes.length === 0) return undefined;
  const end = bytes.indexOf(0);
  return JSON.parse(bytes.toString("utf8", 0, end < 0 ? bytes.length : end)) as Record<string, unknown>;
}
