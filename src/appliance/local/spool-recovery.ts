/**
 * Brings a spool's folder to where the log can go on. What a power cut left behind the end is wiped out before anything
 * is written there, so that it can never be taken for what comes later; a recovery that is itself interrupted comes to
 * the same end the next time.
 */
import { RetryError, StopError } from "#src/core/errors.ts";
import { batchAlignmentBytes, spoolTurnMs } from "#src/core/limits.ts";
import type { Machine } from "#src/host/machine.ts";
import { batchSpanBytes, batchTimeMicros, lastSeqOf } from "#src/records/batch.ts";
import { ownLogFileHeader } from "#src/records/log-file.ts";
import { type LogEnd, type LogEvent, type LogScan, recoverLog } from "#src/records/log-recovery.ts";
import { type SpoolFile, type SpoolRow, spoolFiles, spoolRow, spoolScan } from "./spool-folder.ts";
import type { SpoolIndex } from "./spool-index.ts";
import type { SpoolSegment } from "./spool-segment.ts";
import type { SpoolIdentity } from "./spool-segments.ts";

export interface RecoveredSpool {
  readonly segmentBytes: number;
  readonly live: readonly SpoolSegment[];
  readonly free: readonly SpoolSegment[];
  readonly lastSeq: number;
  /** 0 if there is no record. */
  readonly lastEpoch: number;
  readonly lastTimeMicros: number;
  readonly releasedSeq: number;
  /** What was dropped, because it was never known to be durable. */
  readonly droppedRecordCount: number;
}

export interface SpoolRecoveryParts {
  readonly machine: Machine;
  readonly folder: string;
  readonly identity: SpoolIdentity;
  readonly knownDurableSeq: number;
  readonly index: SpoolIndex;
}

/** Undefined: no file has ever been begun. */
export async function recoverSpool(parts: SpoolRecoveryParts): Promise<RecoveredSpool | undefined> {
  const { machine, folder, identity } = parts;
  let found: readonly SpoolFile[] = [];
  try {
    found = spoolFiles(machine.files, folder, "readWrite");
    const headers = found.flatMap((file) => ownLogFileHeader(file.segment.path, file.found, identity) ?? []);
    if (headers.length > 0) return await new SpoolRecovery(parts, found, spoolRow(folder, headers)).run();
  } catch (error) {
    for (const { segment } of found) segment.close();
    throw couldNotRecover(folder, error as NodeJS.ErrnoException);
  }
  if (found.some((file) => file.found.kind !== "blank")) {
    throw new StopError(`no file of the spool in ${folder} has a sound header`);
  }
  return undefined;
}

class SpoolRecovery {
  readonly #parts: SpoolRecoveryParts;
  readonly #found: readonly SpoolFile[];
  readonly #row: SpoolRow;
  readonly #segmentsByPath: ReadonlyMap<string, SpoolSegment>;
  readonly #live = new Set<SpoolSegment>();
  readonly #wiped = new Set<SpoolSegment>();
  readonly #beyond: { readonly path: string; readonly offset: number }[] = [];
  #lastTimeMicros = 0;

  constructor(parts: SpoolRecoveryParts, found: readonly SpoolFile[], row: SpoolRow) {
    this.#parts = parts;
    this.#found = found;
    this.#row = row;
    this.#segmentsByPath = new Map(found.map(({ segment }) => [segment.path, segment]));
  }

  async run(): Promise<RecoveredSpool> {
    const { first, releasedSeq } = this.#row;
    for (const { segment, found } of this.#found) if (found.kind === "sound") segment.place(found.header);
    const { identity, knownDurableSeq } = this.#parts;
    const end = await this.#walk(spoolScan(this.#found, this.#row, identity.incarnation, knownDurableSeq));
    if (end.decision === "damage") {
      throw new StopError(`the spool is damaged: ${end.message}. Nothing was changed`, { cause: end.cause });
    }
    const last = this.#segmentAt(end.path);
    this.#live.add(last);
    const free = this.#found.map(({ segment }) => segment).filter((segment) => !this.#live.has(segment));
    await this.#restate(last);
    this.#wipe(end, last, free);
    await this.#sync(end.claimedSeq);
    const live = [...this.#live].sort((one, other) => one.basePosition - other.basePosition);
    for (const segment of [...live, ...free]) if (segment !== last) segment.close();
    return {
      segmentBytes: first.fullBytes,
      live,
      free,
      lastSeq: end.place.lastSeq,
      lastEpoch: end.place.lastEpoch ?? 0,
      lastTimeMicros: this.#lastTimeMicros,
      releasedSeq,
      droppedRecordCount: end.beyondRecordCount,
    };
  }

  async #walk(scan: LogScan): Promise<LogEnd> {
    const { clock } = this.#parts.machine;
    const events = recoverLog(scan);
    let turnMs = clock.monotonicMs();
    for (;;) {
      const step = events.next();
      if (step.done === true) return step.value;
      this.#take(step.value);
      if (clock.monotonicMs() - turnMs < spoolTurnMs) continue;
      await new Promise<void>((resolve) => clock.soon(resolve));
      turnMs = clock.monotonicMs();
    }
  }

  #take(event: LogEvent): void {
    if (event.kind === "progress") return;
    const { header, part, offset } = event;
    if (event.kind === "beyond") {
      this.#beyond.push({ path: part.path, offset });
      return;
    }
    const segment = this.#segmentAt(part.path);
    this.#live.add(segment);
    segment.extend(batchSpanBytes(header), header.firstSeq, lastSeqOf(header));
    this.#lastTimeMicros = batchTimeMicros(event.bytes, event.start, header);
    this.#parts.index.add(header.firstSeq - 1, header.position, this.#lastTimeMicros);
  }

  #segmentAt(path: string): SpoolSegment {
    return this.#segmentsByPath.get(path) as SpoolSegment;
  }

  /** What was released is told by the last file from now on, durably: the header that tells it may be about to go. */
  async #restate(last: SpoolSegment): Promise<void> {
    if (last.releasedSeq < this.#row.releasedSeq) last.restate(this.#row.releasedSeq);
    last.markDirty();
    await finished((done) => last.sync(done));
  }

  /** Batches behind the end, whatever broke off there, and headers that claim places behind it. */
  #wipe(end: LogEnd, last: SpoolSegment, free: readonly SpoolSegment[]): void {
    for (const { path, offset } of this.#beyond) this.#wipeSector(this.#segmentAt(path), offset);
    if (end.found !== "nothing") this.#wipeSector(last, end.offset);
    for (const segment of free) {
      const kind = this.#found.find((file) => file.segment === segment)?.found.kind;
      const isBehind = kind === "sound" && segment.basePosition > last.basePosition;
      if (isBehind || kind === "broken") this.#wipeSector(segment, 0);
    }
    const { log } = this.#parts.machine;
    if (end.decision === "tail") {
      log.warn("dropped the spool's end, which was never durable", {
        why: end.message,
        records: end.beyondRecordCount,
        bytes: end.beyondBytes,
      });
    }
  }

  #wipeSector(segment: SpoolSegment, offset: number): void {
    segment.writeNow(Buffer.alloc(batchAlignmentBytes), 0, batchAlignmentBytes, offset);
    this.#wiped.add(segment);
  }

  /** What a killed process wrote is there, and not yet durable. */
  async #sync(claimedSeq: number): Promise<void> {
    const { files } = this.#parts.machine;
    for (const segment of this.#live) {
      if (segment.lastSeq <= claimedSeq && !this.#wiped.has(segment)) continue;
      segment.markDirty();
      this.#wiped.add(segment);
    }
    for (const segment of this.#wiped) await finished((done) => segment.sync(done));
    await finished((done) => files.syncFolder(this.#parts.folder, done));
  }
}

/** Only errors of the disk are put into words here; all others have theirs. */
function couldNotRecover(folder: string, cause: NodeJS.ErrnoException): Error {
  if (cause.code === undefined) return cause;
  const message = `the spool in ${folder} could not be made ready: ${cause.message}`;
  return cause.code === "ENOSPC" ? new RetryError(message, { cause }) : new StopError(message, { cause });
}

export function finished(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error === null ? resolve() : reject(error))));
}
