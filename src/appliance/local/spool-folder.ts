/** What lies in a spool's folder: its files, each with what its header says. Reads only. */
import { join } from "node:path";
import { StopError } from "#src/core/errors.ts";
import { logFileHeaderBytes } from "#src/core/limits.ts";
import type { Files, OpenMode } from "#src/host/files.ts";
import { batchMagic } from "#src/records/batch.ts";
import { inspectRecords } from "#src/records/batch-inspection.ts";
import { type FoundLogFile, getLogFileHeader, type LogFileHeader, logFileMagic } from "#src/records/log-file.ts";
import type { LogScan } from "#src/records/log-recovery.ts";
import type { LogPart } from "#src/records/log-window.ts";
import { SpoolSegment } from "./spool-segment.ts";
import { segmentNames } from "./spool-segments.ts";

export interface SpoolFile {
  readonly segment: SpoolSegment;
  readonly found: FoundLogFile;
  readonly sizeBytes: number;
}

/** In the order of their names, which says nothing of the order of the log. */
export function spoolFiles(files: Files, folder: string, mode: OpenMode): SpoolFile[] {
  return segmentNames(files, folder).map((name) => {
    const segment = new SpoolSegment(files, join(folder, name), mode);
    const bytes = Buffer.alloc(logFileHeaderBytes);
    const count = segment.readNow(bytes, 0, bytes.length, 0);
    const sizeBytes = segment.sizeBytesNow();
    // There may be more of them than a process may have open.
    segment.close();
    return { segment, found: getLogFileHeader(bytes.subarray(0, count), logFileMagic.spool), sizeBytes };
  });
}

/** What the headers of a spool's files say together. */
export interface SpoolRow {
  /** The file with the oldest record that was not released. */
  readonly first: LogFileHeader;
  readonly releasedSeq: number;
}

/** At least one header. Throws a `StopError` if the headers cannot all be true, or files are missing at the front. */
export function spoolRow(folder: string, headers: readonly LogFileHeader[]): SpoolRow {
  const bases = new Set(headers.map((header) => header.basePosition));
  const sizes = new Set(headers.map((header) => header.fullBytes));
  if (bases.size < headers.length) throw new StopError(`two files in ${folder} claim the same place in the spool`);
  if (sizes.size > 1) throw new StopError(`the files in ${folder} do not agree on their size`);
  const releasedSeq = Math.max(...headers.map((header) => header.releasedSeq));
  const candidates = headers.filter((header) => header.firstSeq <= releasedSeq + 1);
  const first = candidates.sort((one, other) => other.basePosition - one.basePosition)[0];
  if (first === undefined) {
    const oldest = Math.min(...headers.map((header) => header.firstSeq));
    throw new StopError(
      `${folder} begins with record ${oldest}, and only those up to ${releasedSeq} were released: a file is missing or damaged`,
    );
  }
  return { first, releasedSeq };
}

/** How a recovery is to walk over these files. Of those that lie in no known place only whole batches are of interest. */
export function spoolScan(
  found: readonly SpoolFile[],
  row: SpoolRow,
  incarnation: number,
  knownDurableSeq: number,
): LogScan {
  const { first, releasedSeq } = row;
  return {
    magic: batchMagic.records,
    incarnation,
    fileBytes: first.fullBytes,
    parts: partsOf(found),
    from: { position: first.basePosition + logFileHeaderBytes, lastSeq: first.firstSeq - 1, lastEpoch: undefined },
    // Nothing is released before a record behind it is durable.
    knownDurableSeq: Math.max(knownDurableSeq, releasedSeq > 0 ? releasedSeq + 1 : 0),
    inspect: inspectRecords,
  };
}

/** One file is open at a time. */
function partsOf(found: readonly SpoolFile[]): LogPart[] {
  let reading: SpoolSegment | undefined;
  return found.map(({ segment, found, sizeBytes }) => ({
    path: segment.path,
    basePosition: found.kind === "sound" ? found.header.basePosition : undefined,
    sizeBytes,
    readNow: (buffer, start, lengthBytes, offset) => {
      if (reading !== segment) reading?.close();
      reading = segment;
      return segment.readNow(buffer, start, lengthBytes, offset);
    },
  }));
}
