/**
 * Brings the source into the order while the host goes on writing: all regions that are marked when it begins, between a
 * `resync-begin` and a `resync-end`. There is one way for all that needs it: what a source held before it was protected,
 * what was written without the appliance, and what is in doubt after a loss.
 *
 * Regions that have not had their turn stay pinned in the map. After a crash it begins again with those that are still
 * marked: those that were done, and whose records are durable, lost their marks at a checkpoint like any others. A
 * `resync-begin` without an end is thus followed by another.
 *
 * The first copy of a volume ends with an `initial-complete` behind the `resync-end`. As long as nothing is in doubt, the
 * order knows of no block what the source does not have, and begins with zeros: so what reads as zeros is left out.
 */
import { assert } from "#src/core/assert.ts";
import {
  blockBytes,
  copyAheadLookMs,
  copyLookBytes,
  copyLookRunsMax,
  copyPiecesPerTurn,
  copyRetryMs,
  recordBlocksMax,
} from "#src/core/limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import { nbdError } from "#src/nbd/constants.ts";
import type { WriteOrder } from "#src/nbd/write-order.ts";
import { recordType } from "#src/records/record.ts";
import type { AttachedSource } from "#src/wire/volume-link.ts";
import { CopyPace } from "./copy-pace.ts";
import { CopyPiece } from "./copy-piece.ts";
import { type CopyKind, type CopyProgress, CopyRegions } from "./copy-regions.ts";
import { CopyWindow } from "./copy-window.ts";
import type { Flight } from "./flight.ts";
import type { FlushRounds } from "./flush-rounds.ts";
import type { Gate, GateEntry } from "./gate.ts";
import type { Outlet } from "./outlet.ts";
import type { RegionMapFile } from "./region-map-file.ts";
import type { Source } from "./source.ts";

export interface SourceCopyParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly flight: Flight;
  readonly locks: WriteOrder;
  readonly gate: Gate;
  readonly outlet: Outlet;
  readonly flushes: FlushRounds;
  readonly mapFile: RegionMapFile;
  readonly source: Source;
  readonly bytesPerSecond: number;
  /** Something was put into the gate, or asked of the link. */
  readonly moved: () => void;
  readonly readBytes: (byteLength: number) => void;
  /** Counts the changes that the host has asked for. */
  readonly hostChangeCount: () => number;
}

/** One copy, from its beginning to its end, or until another one begins. */
interface Run {
  readonly kind: CopyKind;
  readonly skipsZeros: boolean;
  readonly regions: CopyRegions;
  readonly pace: CopyPace;
  /** All there are; those that rest are in `idle`. */
  readonly pieces: CopyPiece[];
  readonly idle: CopyPiece[];
  readonly window: CopyWindow;
  /** The begin is in the order, the end is not. */
  isCopying: boolean;
}

export class SourceCopy {
  readonly #parts: SourceCopyParts;
  #run: Run | undefined;
  /** The begin is not in the order yet. */
  #isBeginning = false;
  /** It is, and may be lost with the link: the appliance has not acknowledged it yet. */
  #unheardOrdinal: number | undefined;
  /** All is in the order, and its last record is this one; that is not noted durably yet. */
  #endOrdinal: number | undefined;
  readonly #begun: (() => void)[] = [];
  /** The flight has an ordinal for it. */
  #isReserved = false;
  /** What there is does not count any more: another one is about to begin. */
  #isSuperseded = false;
  /** The source is being looked over for holes. */
  #isLooking = false;
  #isFilling = false;
  #timer: Timer | undefined;

  constructor(parts: SourceCopyParts) {
    this.#parts = parts;
  }

  get progress(): CopyProgress | undefined {
    const run = this.#run;
    return run?.regions.progress(run.kind, this.#parts.clock.monotonicMs());
  }

  /** With another link it has to begin anew: the appliance may know nothing of it. */
  get isBeginning(): boolean {
    return this.#isBeginning || this.#unheardOrdinal !== undefined;
  }

  /** What the appliance is told where it is brought to the volume while the copy is under way. */
  get said(): AttachedSource {
    return this.#endOrdinal === undefined ? {} : { copyEndOrdinal: this.#endOrdinal };
  }

  acknowledged(ordinal: number): void {
    if (this.#unheardOrdinal === undefined || ordinal < this.#unheardOrdinal) return;
    this.#unheardOrdinal = undefined;
    this.#tellBegun();
  }

  /**
   * Resolves when the appliance has its beginning, so that it offers no point before its end; at once where none is under
   * way, and when it is given up: the next one is the first that the next link hears of.
   */
  whenBegun(): Promise<void> {
    if (!this.isBeginning) return Promise.resolve();
    return new Promise((resolve) => this.#begun.push(resolve));
  }

  #tellBegun(): void {
    for (const resolve of this.#begun.splice(0)) resolve();
  }

  get isSuperseded(): boolean {
    return this.#isSuperseded;
  }

  /**
   * All that is marked is to be copied, whatever was copied before: `begin` follows, when that is durable. One that has an
   * ordinal reserved for its first record begins all the same, so that no ordinal is left out.
   */
  supersede(): void {
    if (!this.#isBeginning) this.#drop();
    this.#isSuperseded = true;
  }

  /**
   * Begins, or begins anew, with all regions that are marked now. Its first record goes before all that waits, so that
   * no point lies between the gap and it: with a new link the flight has an ordinal reserved for it.
   */
  begin(ordinal: "reserved" | "next"): void {
    const isReserved = ordinal === "reserved" || (this.#isBeginning && this.#isReserved);
    this.#drop();
    this.#isReserved = isReserved;
    const { mapFile, log } = this.#parts;
    const { resyncWanted, base } = mapFile.state;
    mapFile.map.pinMarked();
    const run = this.#newRun(base === "complete" ? "resync" : "initial", !resyncWanted);
    this.#run = run;
    const regions = mapFile.map.pinnedCount;
    log.info(run.kind === "initial" ? "copying what the source held" : "journaling the marked regions anew", {
      regions,
    });
    this.#isBeginning = true;
    const add = (outlet: Outlet): void => {
      if (isReserved) outlet.addReserved(recordType.resyncBegin);
      else outlet.addRange(undefined, recordType.resyncBegin, 0, 0);
      this.#unheardOrdinal = outlet.link?.lastOrdinal;
    };
    this.#parts.gate.pushFirst(
      this.#marker(run, add, () => {
        this.#isBeginning = false;
        run.isCopying = true;
        this.#fillSoon(0);
      }),
    );
    this.#parts.moved();
  }

  #newRun(kind: CopyKind, skipsZeros: boolean): Run {
    const { clock, mapFile, source, bytesPerSecond, hostChangeCount } = this.#parts;
    const nowMs = clock.monotonicMs();
    return {
      kind,
      skipsZeros,
      regions: new CopyRegions(mapFile.map, source.sizeBytes, nowMs),
      pace: new CopyPace(bytesPerSecond, nowMs, hostChangeCount()),
      pieces: [],
      idle: [],
      window: new CopyWindow(),
      isCopying: false,
    };
  }

  abort(): void {
    this.#drop();
    this.#tellBegun();
  }

  #drop(): void {
    for (const piece of this.#run?.pieces ?? []) piece.giveUp();
    this.#run = undefined;
    this.#isBeginning = false;
    this.#unheardOrdinal = undefined;
    this.#endOrdinal = undefined;
    this.#isSuperseded = false;
    this.#isLooking = false;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** One of the records around all others. */
  #marker(run: Run, add: (outlet: Outlet) => void, added: () => void): GateEntry {
    return {
      startBlock: 0,
      blockCount: 0,
      byteLength: 0,
      addTo: (outlet) => {
        if (run !== this.#run) return true;
        if (!outlet.hasRoomFor(0)) return false;
        add(outlet);
        return true;
      },
      passed: () => {
        if (run === this.#run) added();
      },
    };
  }

  // The pieces

  #fillSoon(waitMs: number): void {
    const run = this.#run;
    this.#timer ??= this.#parts.clock.timer(waitMs, () => {
      this.#timer = undefined;
      if (run === this.#run) this.#fill();
    });
  }

  /** Begins as many pieces as may be under way. Asked for from within, it goes on by itself. */
  #fill(): void {
    const run = this.#run;
    if (run === undefined || !run.isCopying || this.#isFilling) return;
    this.#isFilling = true;
    let leftCount = copyPiecesPerTurn;
    while (run === this.#run && leftCount > 0 && this.#mayBegin(run) && this.#beginNext(run)) leftCount--;
    this.#isFilling = false;
    if (run !== this.#run) return;
    if (leftCount === 0) this.#fillSoon(0);
    if (run.isCopying && run.regions.isDone && this.#openCountOf(run) === 0) this.#addEnd(run);
  }

  #openCountOf(run: Run): number {
    return run.pieces.length - run.idle.length;
  }

  #mayBegin(run: Run): boolean {
    if (this.#timer !== undefined || this.#isLooking) return false;
    if (this.#openCountOf(run) >= run.pace.pieceCountMax) return false;
    const isAhead = run.window.isFull(this.#parts.outlet.link);
    const waitMs = isAhead ? copyAheadLookMs : run.pace.waitMs(this.#parts.clock.monotonicMs());
    if (waitMs > 0) this.#fillSoon(waitMs);
    return waitMs === 0;
  }

  /** False: there is none, or it is not known yet where. */
  #beginNext(run: Run): boolean {
    const { regions, skipsZeros, pace } = run;
    const startBlock = regions.nextBlock();
    if (startBlock === undefined) return false;
    if (skipsZeros) {
      if (startBlock >= regions.lookedUntilBlock) return this.#look(run, startBlock);
      if (regions.skipZeros()) return true;
    }
    const blockCount = regions.take(recordBlocksMax);
    const nowMs = this.#parts.clock.monotonicMs();
    pace.begun(nowMs, blockCount * blockBytes);
    const isFetched = pace.isHostAtWork && this.#parts.source.isCached;
    this.#idlePiece(run).begin(startBlock, blockCount, skipsZeros, isFetched, nowMs);
    return true;
  }

  /**
   * Looks where the source is a hole. What the host writes there meanwhile is in the order by itself, so that it may be
   * skipped although nobody has locked it.
   */
  #look(run: Run, startBlock: number): boolean {
    const { source } = this.#parts;
    const position = startBlock * blockBytes;
    const length = Math.min(copyLookBytes, source.sizeBytes - position);
    this.#isLooking = true;
    try {
      source.extents(position, length, copyLookRunsMax, (error, runs) => {
        if (run !== this.#run) return;
        this.#isLooking = false;
        run.regions.looked(startBlock, error === null ? runs : []);
        this.#fill();
      });
    } catch {
      // Whether it can be read is seen when it is read.
      this.#isLooking = false;
      run.regions.looked(startBlock, []);
    }
    return !this.#isLooking;
  }

  #idlePiece(run: Run): CopyPiece {
    const idle = run.idle.pop();
    if (idle !== undefined) return idle;
    const { source, flight, locks, gate, readBytes, moved } = this.#parts;
    const piece = new CopyPiece({
      ...{ source, flight, locks, gate, readBytes, moved },
      added: (added) => this.#pieceAdded(run, added),
      failed: (failed, error) => this.#pieceFailed(run, failed, error),
    });
    run.pieces.push(piece);
    return piece;
  }

  #pieceAdded(run: Run, piece: CopyPiece): void {
    const { clock, flight, outlet, hostChangeCount } = this.#parts;
    assert(run === this.#run, "what was given up comes to nothing");
    const nowMs = clock.monotonicMs();
    run.regions.done(piece.startBlock, piece.blockCount);
    run.window.added(outlet.link, flight.lastOrdinal, piece.addedBytes);
    run.pace.added(nowMs, nowMs - piece.begunMs, outlet.link?.pressure ?? 0, hostChangeCount());
    run.idle.push(piece);
    this.#fill();
  }

  /** The gap in the journal remains until the source can be read. What else there is goes on meanwhile. */
  #pieceFailed(run: Run, piece: CopyPiece, error: Error): void {
    const { log, clock } = this.#parts;
    const { regions } = run;
    if (regions.putBackCount === 0) log.error("the source cannot be read to be copied; tried again later", { error });
    regions.putBack(piece.startBlock, piece.blockCount);
    if (regions.hasOnlyPutBack) run.pace.rest(clock.monotonicMs(), copyRetryMs);
    run.idle.push(piece);
    this.#fill();
  }

  // The end

  #addEnd(run: Run): void {
    run.isCopying = false;
    const add = (outlet: Outlet): void => {
      if (run.kind === "initial") outlet.addRange(undefined, recordType.resyncEnd, 0, 0);
      else this.#addLast(outlet, recordType.resyncEnd);
    };
    this.#parts.gate.push(
      this.#marker(run, add, () => {
        if (run.kind === "initial") this.#addInitialComplete(run);
        else this.#end(run);
      }),
    );
    this.#parts.moved();
  }

  #addInitialComplete(run: Run): void {
    const add = (outlet: Outlet): void => this.#addLast(outlet, recordType.initialComplete);
    this.#parts.gate.pushFirst(this.#marker(run, add, () => this.#end(run)));
    this.#parts.moved();
  }

  #addLast(outlet: Outlet, type: number): void {
    outlet.addRange(undefined, type, 0, 0);
    this.#endOrdinal = outlet.link?.lastOrdinal;
  }

  /** The end is in the order. What was copied for is noted as done when it is durable. */
  #end(run: Run): void {
    const flushed = (error: number): void => {
      if (run !== this.#run || this.#isSuperseded || error !== nbdError.ok) return;
      this.#run = undefined;
      this.#endOrdinal = undefined;
      // A failure of the file is told to whoever listens to it.
      this.#parts.mapFile.update({ resyncWanted: false, unprotectedMicros: 0, base: "complete" }).catch(() => {});
      this.#parts.log.info("the source is copied", { bytes: run.regions.bytesTotal });
    };
    this.#parts.flushes.caughtUp();
    this.#parts.flushes.join({ flushed });
    this.#parts.moved();
  }
}
