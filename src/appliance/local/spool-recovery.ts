/**
 * Brings a spool's folder to where the log can go on. What a power cut left behind the end is removed before anything is
 * written there, so that it can never be taken for what comes later; a recovery that is itself interrupted comes to the
 * same end the next time.
 */

import { RetryError, StopError } from "#src/core/errors.ts";
import { batchAlignmentBytes, spoolTurnMs } from "#src/core/limits.ts";
import { isLackOfDescriptors, isLackOfRoom } from "#src/host/lack-of-room.ts";
import type { Machine } from "#src/host/machine.ts";
import { whenDone } from "#src/host/when-done.ts";
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

/** What a new one begins with. */
export const emptySpool = {
  live: [],
  free: [],
  lastSeq: 0,
  lastEpoch: 0,
  lastTimeMicros: 0,
  releasedSeq: 0,
  droppedRecordCount: 0,
};

export interface SpoolRecoveryParts {
  readonly machine: Machine;
  readonly folder: string;
  readonly identity: SpoolIdentity;
  readonly knownDurableSeq: number;
  readonly index: SpoolIndex;
  /** Waited for before anything is dropped, with what that says to be durable. */
  readonly dropping: (claimedSeq: number) => Promise<void>;
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
  /** Files of which nothing is needed, and that hold what must never be found again. */
  readonly #doomed = new Set<SpoolSegment>();
  /** The file that the log ends in, and where batches lie in it behind that end. */
  #last: SpoolSegment;
  readonly #beyondOffsets: number[] = [];
  #lastTimeMicros = 0;
  /** Of the batch before; undefined: there was none. */
  #lastSeq: number | undefined;

  constructor(parts: SpoolRecoveryParts, found: readonly SpoolFile[], row: SpoolRow) {
    this.#parts = parts;
    this.#found = found;
    this.#row = row;
    this.#segmentsByPath = new Map(found.map(({ segment }) => [segment.path, segment]));
    for (const { segment, found: header } of found) if (header.kind === "sound") segment.place(header.header);
    this.#last = found.find((file) => isAt(file, row.first.basePosition))?.segment as SpoolSegment;
    this.#live.add(this.#last);
  }

  async run(): Promise<RecoveredSpool> {
    const { first, releasedSeq } = this.#row;
    const { identity, knownDurableSeq } = this.#parts;
    const end = await this.#walk(spoolScan(this.#found, this.#row, identity.incarnation, knownDurableSeq));
    // Nothing of that says what is in the file.
    if (isLackOfDescriptors(end.cause)) throw end.cause;
    if (end.decision === "damage") {
      throw new StopError(`the spool is damaged: ${end.message}. Nothing was changed`, { cause: end.cause });
    }
    if (end.decision === "tail") {
      this.#tell(end);
      await this.#parts.dropping(end.claimedSeq);
    }
    await this.#restate();
    const free = this.#removeBeyond(end);
    await this.#sync(end.claimedSeq);
    const live = [...this.#live].sort((one, other) => one.basePosition - other.basePosition);
    for (const segment of [...live, ...free]) if (segment !== this.#last) segment.close();
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
    const segment = this.#segmentsByPath.get(part.path) as SpoolSegment;
    if (event.kind === "beyond") {
      if (segment === this.#last) this.#beyondOffsets.push(offset);
      else this.#doomed.add(segment);
      return;
    }
    this.#last = segment;
    this.#live.add(segment);
    segment.extend(batchSpanBytes(header), header.firstSeq, lastSeqOf(header));
    this.#lastTimeMicros = batchTimeMicros(event.bytes, event.start, header);
    // Where an epoch begins, what follows the records before it lies here, however far it jumps.
    this.#parts.index.add(this.#lastSeq ?? header.firstSeq - 1, header.position, this.#lastTimeMicros);
    this.#lastSeq = lastSeqOf(header);
  }

  #tell(end: LogEnd): void {
    this.#parts.machine.log.warn("dropped the spool's end, which was never known to be durable", {
      why: end.message,
      records: end.beyondRecordCount,
      bytes: end.beyondBytes,
    });
  }

  /** What was released is told by the last file from now on, durably: the header that tells it may be about to go. */
  async #restate(): Promise<void> {
    const last = this.#last;
    if (last.releasedSeq < this.#row.releasedSeq) last.restate(this.#row.releasedSeq);
    last.markDirty();
    await whenDone((done) => last.sync(done));
  }

  /** Whatever claims to lie behind the end. Answers the files that are left and free. */
  #removeBeyond(end: LogEnd): SpoolSegment[] {
    for (const offset of this.#beyondOffsets) this.#wipeBatch(offset);
    if (end.found !== "nothing") this.#wipeBatch(end.offset);
    const free: SpoolSegment[] = [];
    for (const { segment, found } of this.#found) {
      if (this.#live.has(segment)) continue;
      const isBehind = found.kind === "sound" && segment.basePosition > this.#last.basePosition;
      if (isBehind || found.kind === "broken" || this.#doomed.has(segment)) {
        segment.close();
        this.#parts.machine.files.remove(segment.path);
      } else free.push(segment);
    }
    return free;
  }

  #wipeBatch(offset: number): void {
    this.#last.writeNow(Buffer.alloc(batchAlignmentBytes), 0, batchAlignmentBytes, offset);
  }

  /** What a killed process wrote is there, and not yet durable. */
  async #sync(claimedSeq: number): Promise<void> {
    for (const segment of this.#live) {
      if (segment.lastSeq <= claimedSeq && segment !== this.#last) continue;
      segment.markDirty();
      await whenDone((done) => segment.sync(done));
      if (segment !== this.#last) segment.close();
    }
    await whenDone((done) => this.#parts.machine.files.syncFolder(this.#parts.folder, done));
  }
}

function isAt({ found }: SpoolFile, basePosition: number): boolean {
  return found.kind === "sound" && found.header.basePosition === basePosition;
}

/** Only errors of the disk are put into words here; all others have theirs. */
function couldNotRecover(folder: string, cause: NodeJS.ErrnoException): Error {
  if (cause.code === undefined) return cause;
  const message = `the spool in ${folder} could not be made ready: ${cause.message}`;
  return isLackOfRoom(cause) ? new RetryError(message, { cause }) : new StopError(message, { cause });
}
