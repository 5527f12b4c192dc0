/**
 * From time to time the source is made durable. Then the map's file says how far it is, and the appliance may let go of what
 * it kept for the source. In that order: records that the appliance let go of are never asked for again. Of the spool that
 * asks nothing: what is about to leave it need never have reached its disk.
 *
 * Where marks are to go the spool is made durable together with the source. Marks go only here, and only those of regions
 * without a record after the ordinals that the checkpoint covers; and not before the remote has these durably, too. Until
 * then the interval stays open: what is written meanwhile counts to it.
 */
import { checkpointBytesMin, checkpointFlushMs, checkpointPressureMin, checkpointRest } from "#src/core/limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import { flushed, synced } from "./completion.ts";
import type { Flight } from "./flight.ts";
import { mayComeBack } from "./link-loss.ts";
import type { Outlet } from "./outlet.ts";
import type { RegionMapFile } from "./region-map-file.ts";
import type { Source } from "./source.ts";
import type { SourceWriter } from "./source-writer.ts";

export interface CheckpointsParts {
  readonly clock: Clock;
  readonly flight: Flight;
  readonly outlet: Outlet;
  readonly writer: SourceWriter;
  readonly source: Source;
  readonly mapFile: RegionMapFile;
  readonly everyMs: number;
  readonly everyBytes: number;
  readonly failed: (error: Error) => void;
}

/**
 * Which marks of regions go with a checkpoint: none; those of regions that were not written for a while; also those that
 * were written a moment ago. A mark that goes too early costs a sync when its region is written next, so the checkpoints
 * that are made because enough was written leave them alone.
 */
export type MarksToClear = "none" | "old" | "all";

/** Of something that may take long: it can be waited for again and again, and nothing is left behind by that. */
class Ending {
  #isOver = false;
  #wake = (): void => {};

  constructor(promise: Promise<void>) {
    const ended = (): void => {
      this.#isOver = true;
      this.#wake();
    };
    promise.then(ended, ended);
  }

  /** Whether it has ended, in whatever way, before so much time has passed. */
  async within(clock: Clock, durationMs: number): Promise<boolean> {
    if (!this.#isOver) {
      await new Promise<void>((resolve) => {
        const timer = clock.timer(durationMs, resolve);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    return this.#isOver;
  }
}

/** Marks that may go when the remote has durably all up to this ordinal. */
interface Interval {
  readonly ordinal: number;
  readonly isAll: boolean;
}

export class Checkpoints {
  readonly #parts: CheckpointsParts;
  #timer: Timer | undefined;
  #restTimer: Timer | undefined;
  /** Which one is under way; those that were given up do nothing more. */
  #current = 0;
  #isRunning = false;
  #isPaused = false;
  #isOver = false;
  #coveredBytes = 0;
  #endedMs = 0;
  #tookMs = 0;
  #coveredOrdinal = -1;
  /** Source and spool have it durably; of the remote that is not known yet. */
  #interval: Interval | undefined;

  constructor(parts: CheckpointsParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = this.#parts.clock.timer(this.#parts.everyMs, () => {
      this.#beginIfNeeded("old");
      this.start();
    });
  }

  /**
   * Called often: whether enough was written for one. Where they are quickly done they are made often, so that the spool
   * stays small and warm; where they take long, they take a small part of the time. A spool that fills up may be waiting
   * for nothing else: also a record that brings no bytes keeps in it what others have written since.
   */
  consider(): void {
    const { writer, everyBytes, clock } = this.#parts;
    const freshBytes = writer.writtenBytes - this.#coveredBytes;
    const isPressing = this.#isPressing;
    if (this.#isRunning || (freshBytes < Math.min(checkpointBytesMin, everyBytes) && !isPressing)) return;
    const restMs = this.#endedMs + this.#tookMs * checkpointRest - clock.monotonicMs();
    if (restMs <= 0 || freshBytes >= everyBytes) this.#beginIfNeeded("none");
    else if (isPressing) this.#considerAfter(restMs);
  }

  /** The spool fills up, and keeps something for this source. */
  get #isPressing(): boolean {
    const { flight, outlet, mapFile } = this.#parts;
    const isHigh = outlet.link !== undefined && outlet.link.pressure >= checkpointPressureMin;
    return isHigh && !this.#isOver && flight.appliedOrdinal > mapFile.state.durableOrdinal;
  }

  /** Where all wait for room nothing more happens that would ask. */
  #considerAfter(restMs: number): void {
    this.#restTimer ??= this.#parts.clock.timer(restMs, () => {
      this.#restTimer = undefined;
      this.consider();
    });
  }

  #beginIfNeeded(marksToClear: MarksToClear): void {
    const { flight, mapFile } = this.#parts;
    // Marks that the last one left since they were fresh are worth one more.
    const hasFreshMarks = this.#interval === undefined && mapFile.map.markedCount > mapFile.map.pinnedCount;
    const isAtRest = flight.appliedOrdinal === this.#coveredOrdinal && !hasFreshMarks;
    if (this.#isRunning || this.#isPaused || isAtRest) return;
    this.run(marksToClear).then(
      () => {
        if (this.#isPressing) this.consider();
      },
      (error: Error) => {
        if (!mayComeBack(error)) this.#parts.failed(error);
      },
    );
  }

  async run(marksToClear: MarksToClear): Promise<void> {
    const { flight, outlet, writer, source, mapFile } = this.#parts;
    const { link } = outlet;
    if (link === undefined || this.#isOver) return;
    const current = ++this.#current;
    const beganMs = this.#parts.clock.monotonicMs();
    this.#isRunning = true;
    let workedMs: number | undefined;
    try {
      const ordinal = flight.appliedOrdinal;
      this.#coveredBytes = writer.writtenBytes;
      if (this.#clearMarks()) mapFile.write();
      const isNewInterval = marksToClear !== "none" && this.#interval === undefined;
      if (isNewInterval) mapFile.map.beginInterval();
      flight.forEach((record) => {
        if (record.blockCount > 0) mapFile.map.keep(record.startBlock, record.blockCount);
      });
      outlet.commit();
      // For marks alone the spool has to be durable too.
      const flushing = marksToClear === "none" ? Promise.resolve() : flushed(link);
      // Whoever waits for it hears of its failure below.
      flushing.catch(() => {});
      await synced(source);
      const syncedMs = this.#parts.clock.monotonicMs();
      const told = await this.#tellUntil(new Ending(flushing), ordinal, current);
      // Waiting for room is no work that would need a rest.
      if (told !== undefined) workedMs = syncedMs - beganMs;
      if (current !== this.#current || this.#isOver) return;
      await flushing;
      if (current !== this.#current || this.#isOver) return;
      if (isNewInterval) this.#interval = { ordinal, isAll: marksToClear === "all" };
      this.#clearMarks();
      if (await this.#report(Math.max(ordinal, told ?? 0), current)) this.#coveredOrdinal = ordinal;
    } finally {
      if (current === this.#current) this.#isRunning = false;
      this.#endedMs = this.#parts.clock.monotonicMs();
      this.#tookMs = workedMs ?? this.#endedMs - beganMs;
    }
  }

  /** Those of the open interval, if the remote has what it needs; true if the file should be written. */
  #clearMarks(): boolean {
    const { link } = this.#parts.outlet;
    const interval = this.#interval;
    if (interval === undefined || link === undefined || link.remoteOrdinal < interval.ordinal) return false;
    this.#interval = undefined;
    return this.#parts.mapFile.map.clear(interval.isAll);
  }

  /** The remote has more than before. */
  remoteDurable(): void {
    if (!this.#isOver && !this.#isPaused && this.#clearMarks()) this.#parts.mapFile.write();
  }

  /**
   * A spool that is full cannot take a flush, and gets room only from what the source is known to have: so that is told
   * meanwhile, where the flush takes long, again and again as the source gets more. Marks stay until it has ended.
   * Answers what was told, if anything was.
   */
  async #tellUntil(flushed: Ending, ordinal: number, current: number): Promise<number | undefined> {
    const { clock, flight, source } = this.#parts;
    let told: number | undefined;
    // The source has this one durably.
    let next = ordinal;
    while (!(await flushed.within(clock, checkpointFlushMs)) && current === this.#current && !this.#isOver) {
      if (told !== undefined && next === told) {
        next = flight.appliedOrdinal;
        if (next === told) continue;
        await synced(source);
        if (current !== this.#current || this.#isOver) break;
      }
      await this.#report(next, current);
      told = next;
    }
    return told;
  }

  /** False: it was given up meanwhile. */
  async #report(ordinal: number, current: number): Promise<boolean> {
    const { mapFile, outlet } = this.#parts;
    const { link } = outlet;
    await mapFile.raiseDurable(ordinal);
    if (current !== this.#current || this.#isOver) return false;
    link?.reportDurable(ordinal);
    return true;
  }

  /** The link is gone: what is under way will not end, or means nothing any more. */
  abandon(): void {
    this.#current++;
    this.#isRunning = false;
    this.#coveredOrdinal = -1;
    this.#interval = undefined;
  }

  /** While the appliance is not there nothing can be covered. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
  }

  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#restTimer?.cancel();
  }
}
