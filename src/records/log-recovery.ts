/**
 * Finds where a log ends after a crash. Walks its batches from a known place on as long as each follows the one before;
 * where that ends, searches all the rest for batches of this log, which tell whether what is missing was ever durable.
 * What it comes to is decided by a table (`log-recovery-table.ts`). Reads only, and holds one window of memory.
 *
 * Written as a generator, so that whoever drives it can let others have their turn.
 */
import { assert } from "#src/core/assert.ts";
import { alignDown } from "#src/core/byte-range.ts";
import { batchAlignmentBytes, batchHeaderBytes, logFileHeaderBytes } from "#src/core/limits.ts";
import { getLe32 } from "#src/core/little-endian.ts";
import { type BatchHeader, batchSpanBytes, getBatchHeader, hasSoundHeads, lastSeqOf } from "./batch.ts";
import type { InspectBatch, PreviousEpoch } from "./batch-inspection.ts";
import { type LogDecision, type LogEvidence, type LogFinding, logDecision } from "./log-recovery-table.ts";
import { type LogPart, LogWindow } from "./log-window.ts";

export interface LogPlace {
  /** Where the next batch begins. */
  readonly position: number;
  /** Of the record before, with its epoch; undefined where nobody knows that. */
  readonly lastSeq: number;
  readonly lastEpoch: number | undefined;
}

export interface LogScan {
  /** Of the batches. */
  readonly magic: number;
  readonly incarnation: number;
  /** The size of each file when it is full. */
  readonly fileBytes: number;
  /** All files in which batches of the log may lie, in any order. */
  readonly parts: readonly LogPart[];
  /** In one of the parts. */
  readonly from: LogPlace;
  /** What the caller knows to be durable in this log; 0 for nothing. */
  readonly knownDurableSeq: number;
  readonly inspect: InspectBatch;
}

export interface LogBatch {
  readonly header: BatchHeader;
  readonly part: LogPart;
  readonly offset: number;
}

export type LogEvent =
  /** The next batch of the log. It lies in `bytes` until the generator goes on. */
  | (LogBatch & { readonly kind: "batch"; readonly bytes: Buffer; readonly start: number })
  /** A batch of this log, its header sound, at the place where the log does not go on, or behind. */
  | (LogBatch & { readonly kind: "beyond" })
  /** Time to let others have their turn. */
  | { readonly kind: "progress" };

export interface LogEnd {
  readonly decision: Exclude<LogDecision, "accept">;
  readonly found: LogFinding;
  readonly evidence: LogEvidence;
  /** The end of what follows without a gap. */
  readonly place: LogPlace;
  readonly path: string;
  readonly offset: number;
  /** The highest seq that any batch of the log says to be durable. */
  readonly claimedSeq: number;
  /** What lies beyond the end, as far as it can be told. */
  readonly beyondRecordCount: number;
  readonly beyondBytes: number;
  /** In words, what was found there and what it means. */
  readonly message: string;
  readonly cause: unknown;
}

/** A place and what was found there. */
interface Spot {
  readonly found: LogFinding;
  readonly part: LogPart;
  readonly offset: number;
  readonly header?: BatchHeader;
  /** Where the batch lies in the window. */
  readonly start?: number;
  readonly cause?: unknown;
}

export function recoverLog(scan: LogScan): Generator<LogEvent, LogEnd> {
  return new LogRecovery(scan).run();
}

class LogRecovery {
  readonly #scan: LogScan;
  readonly #window = new LogWindow();
  readonly #partsByBase = new Map<number, LogPart>();
  #place: LogPlace;
  #claimedSeq = 0;
  #beyondCount = 0;
  #beyondRecordCount = 0;
  #beyondBytes = 0;

  constructor(scan: LogScan) {
    this.#scan = scan;
    this.#place = scan.from;
    for (const part of scan.parts) {
      if (part.basePosition === undefined) continue;
      assert(!this.#partsByBase.has(part.basePosition), "no two files hold the same positions");
      this.#partsByBase.set(part.basePosition, part);
    }
  }

  *run(): Generator<LogEvent, LogEnd> {
    const { from, fileBytes } = this.#scan;
    let part = this.#partsByBase.get(alignDown(from.position, fileBytes));
    assert(part !== undefined, "a log begins in one of its files");
    let offset = Math.max(from.position % fileBytes, logFileHeaderBytes);
    for (;;) {
      const spot = this.#nextSpot(part, offset);
      if (spot.header === undefined || spot.start === undefined || spot.found !== "sound") {
        return yield* this.#decide(spot);
      }
      const { header, start } = spot;
      part = spot.part;
      offset = spot.offset + batchSpanBytes(header);
      this.#place = {
        position: header.position + batchSpanBytes(header),
        lastSeq: lastSeqOf(header),
        lastEpoch: header.epoch,
      };
      this.#claimedSeq = Math.max(this.#claimedSeq, header.durableSeq);
      yield { kind: "batch", header, part, offset: spot.offset, bytes: this.#window.buffer, start };
    }
  }

  /**
   * A log goes on in its next file when the next batch did not fit; what then lies in the rest of this one is nothing.
   * Where it does not go on there either, it ends here: what may have been lost is searched for from here on.
   */
  #nextSpot(part: LogPart, offset: number): Spot {
    const here = this.#look(part, offset);
    if (here.found === "sound" || here.found === "unreadable") return here;
    const next = this.#partsByBase.get((part.basePosition as number) + this.#scan.fileBytes);
    const there = next === undefined ? here : this.#look(next, logFileHeaderBytes);
    return there.found === "sound" || there.found === "unreadable" ? there : here;
  }

  #look(part: LogPart, offset: number): Spot {
    try {
      return this.#lookAtBatch(part, offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return { found: "unreadable", part, offset, cause: error };
    }
  }

  #lookAtBatch(part: LogPart, offset: number): Spot {
    const { magic, incarnation, fileBytes, inspect } = this.#scan;
    if (offset + batchAlignmentBytes > fileBytes) return { found: "nothing", part, offset };
    const { buffer } = this.#window;
    const headerAt = this.#window.at(part, offset, batchHeaderBytes);
    const header = getBatchHeader(buffer, headerAt, magic);
    if (header === undefined) {
      const isBegun = getLe32(buffer, headerAt) === magic;
      return { found: isBegun ? "brokenHeader" : "nothing", part, offset };
    }
    const position = (part.basePosition as number) + offset;
    if (header.incarnation !== incarnation || header.position !== position) return { found: "nothing", part, offset };
    const spanBytes = batchSpanBytes(header);
    if (offset + spanBytes > fileBytes) return { found: "brokenHeads", part, offset, header };
    const start = this.#window.at(part, offset, spanBytes);
    if (!hasSoundHeads(buffer, start, header)) return { found: "brokenHeads", part, offset, header };
    const inspection = inspect(buffer, start, header);
    if (inspection === undefined) return { found: "brokenPayload", part, offset, header };
    return { found: this.#follows(header, inspection.previous), part, offset, header, start };
  }

  #follows(header: BatchHeader, previous: PreviousEpoch | undefined): "sound" | "gap" | "foreignEpoch" {
    const { lastSeq, lastEpoch } = this.#place;
    if (previous !== undefined && header.epoch !== lastEpoch) {
      const isNamed = previous.lastSeq === lastSeq && (lastEpoch === undefined || previous.epoch === lastEpoch);
      return isNamed && header.epoch > previous.epoch && header.firstSeq > lastSeq ? "sound" : "foreignEpoch";
    }
    if (header.firstSeq !== lastSeq + 1) return "gap";
    return lastEpoch === undefined || header.epoch === lastEpoch ? "sound" : "foreignEpoch";
  }

  *#decide(spot: Spot): Generator<LogEvent, LogEnd> {
    const unreadable = spot.found === "unreadable" ? spot : yield* this.#search(spot);
    const last = unreadable ?? spot;
    const evidence = this.#evidence(spot);
    const decision = logDecision(last.found, evidence);
    assert(decision !== "accept", "a log that goes on was followed");
    return {
      decision,
      found: last.found,
      evidence,
      place: this.#place,
      path: last.part.path,
      offset: last.offset,
      claimedSeq: this.#claimedSeq,
      beyondRecordCount: this.#beyondRecordCount,
      beyondBytes: this.#beyondBytes,
      message: this.#message(decision, last, evidence),
      cause: last.cause,
    };
  }

  #evidence(spot: Spot): LogEvidence {
    const nextSeq = this.#place.lastSeq + 1;
    if (this.#scan.knownDurableSeq >= nextSeq) return "known";
    if (this.#claimedSeq >= nextSeq) return "claimed";
    return this.#beyondCount > (spot.header === undefined ? 0 : 1) ? "later" : "none";
  }

  /** Everything that was not walked, at every place where a batch may begin. Answers where that could not be read. */
  *#search(end: Spot): Generator<LogEvent, Spot | undefined> {
    const { from, fileBytes, parts } = this.#scan;
    const firstBase = alignDown(from.position, fileBytes);
    for (const part of parts) {
      const base = part.basePosition;
      const isWalked = base !== undefined && base >= firstBase && base < (end.part.basePosition as number);
      if (isWalked) continue;
      const unreadable = yield* this.#searchPart(part, part === end.part ? end.offset : logFileHeaderBytes);
      if (unreadable !== undefined) return unreadable;
    }
    return undefined;
  }

  *#searchPart(part: LogPart, first: number): Generator<LogEvent, Spot | undefined> {
    const { buffer } = this.#window;
    const { magic } = this.#scan;
    for (let offset = first; offset < part.sizeBytes; offset += batchAlignmentBytes) {
      const loadCount = this.#window.loadCount;
      let headerAt: number;
      try {
        headerAt = this.#window.at(part, offset, batchHeaderBytes);
      } catch (cause) {
        return { found: "unreadable", part, offset, cause };
      }
      if (this.#window.loadCount !== loadCount) yield { kind: "progress" };
      if (getLe32(buffer, headerAt) !== magic) continue;
      const header = getBatchHeader(buffer, headerAt, magic);
      if (header === undefined || !this.#isOurs(header, offset)) continue;
      this.#claimedSeq = Math.max(this.#claimedSeq, header.durableSeq);
      if (header.position < this.#place.position) continue;
      this.#beyondCount++;
      this.#beyondRecordCount += header.recordCount;
      this.#beyondBytes += batchSpanBytes(header);
      yield { kind: "beyond", header, part, offset };
    }
    return undefined;
  }

  /** A file whose header was lost may still hold batches, so the place is compared within the file only. */
  #isOurs(header: BatchHeader, offset: number): boolean {
    return header.incarnation === this.#scan.incarnation && header.position % this.#scan.fileBytes === offset;
  }

  #message(decision: LogDecision, { found, part, offset }: Spot, evidence: LogEvidence): string {
    const nextSeq = this.#place.lastSeq + 1;
    const where = `${part.path}, byte ${offset}, where record ${nextSeq} would begin`;
    if (decision === "end") return `the log ends at ${where}`;
    const what = `${where}: ${findingWords[found]}`;
    if (decision === "tail") return `${what}; nothing from there on was known to be durable`;
    return `${what}; ${evidenceWords[evidence](Math.max(this.#claimedSeq, this.#scan.knownDurableSeq))}`;
  }
}

const findingWords: Record<LogFinding, string> = {
  sound: "a sound batch",
  nothing: "there is nothing",
  brokenHeader: "a batch begins, and its header does not match its checksum",
  brokenHeads: "the heads of a batch do not match their checksum",
  brokenPayload: "the content of a batch does not match its checksums",
  gap: "a sound batch lies there, but not with the next record",
  foreignEpoch: "a sound batch lies there, of an epoch that does not follow",
  unreadable: "the disk cannot read it",
};

const evidenceWords: Record<LogEvidence, (seq: number) => string> = {
  none: () => "nothing can be said of what lies there",
  later: () => "batches of this log lie behind",
  claimed: (seq) => `the log itself says that it was durable up to record ${seq}`,
  known: (seq) => `the log is known to have been durable up to record ${seq}`,
};
