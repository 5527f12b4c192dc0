/**
 * Makes snapshots, one at a time, beside what is sealed and beside the long works: those that somebody waits for at once, others
 * when their time has come, which is looked for whenever records were sealed. Those of its own give way to sealing, and end for
 * whoever waits.
 *
 * Invariant: at most one is made by itself at a time; what was ended is due again.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { DurationCounts, type DurationFigures, workBoundsSeconds } from "#src/core/duration-counts.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import { LongWork } from "#src/store/long-work.ts";
import { CancelledError } from "#src/store/work-control.ts";
import type { GroupHistory } from "#src/synth/group-history.ts";
import type { Snapshot } from "#src/synth/snapshot.ts";
import { isSnapshotDue, type RecordPlace, type SnapshotPolicy } from "#src/synth/snapshot-policy.ts";
import { GroupTurns } from "./group-turns.ts";

export interface SnapshotLaneParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly policy: SnapshotPolicy;
  readonly historyOf: (group: string) => GroupHistory;
  readonly isSealing: () => boolean;
}

/** Since the process began. */
export interface SynthesisFigures {
  readonly made: number;
  readonly failed: number;
  readonly seconds: number;
  readonly lastSeconds: number;
  readonly pointersToJournal: number;
  readonly pointersToSnapshots: number;
  /** Of the objects that were written. */
  readonly writtenBytes: number;
}

export interface LaneSnapshot {
  readonly snapshot: Snapshot;
  readonly isNew: boolean;
  readonly seconds: number;
}

export const noSynthesis: SynthesisFigures = {
  ...{ made: 0, failed: 0, seconds: 0, lastSeconds: 0 },
  ...{ pointersToJournal: 0, pointersToSnapshots: 0, writtenBytes: 0 },
};

export class SnapshotLane {
  readonly #parts: SnapshotLaneParts;
  readonly #turns: GroupTurns;
  /** Of the newest snapshot of each; without one where the order began for us. */
  readonly #last = new Map<string, RecordPlace>();
  readonly #hurried = new Set<LongWork>();
  #figures = noSynthesis;
  readonly #durations = new DurationCounts(workBoundsSeconds);

  constructor(parts: SnapshotLaneParts) {
    this.#parts = parts;
    this.#turns = new GroupTurns({
      newWork: () => this.#work(parts.isSealing),
      mayBegin: () => this.#hurried.size === 0,
      run: (group, work) => this.#makeIfDue(group, work),
    });
  }

  get figures(): SynthesisFigures {
    return this.#figures;
  }

  get durations(): DurationFigures {
    return this.#durations.figures;
  }

  async make(group: string, seq: number): Promise<LaneSnapshot> {
    const history = this.#parts.historyOf(group);
    this.#turns.cancel();
    const work = this.#work(() => false);
    this.#hurried.add(work);
    try {
      return await this.#timed(history, seq, work, true);
    } finally {
      this.#hurried.delete(work);
      this.#turns.step();
    }
  }

  /** More of the group's records are sealed. */
  sealed(group: string): void {
    this.#turns.due(group);
  }

  /** Nothing is made by itself any more, as far as it is known what was sealed. */
  settled(): Promise<void> {
    return this.#turns.settled();
  }

  /** Those under way leave nothing behind. */
  stop(): Promise<void> {
    for (const work of this.#hurried) work.cancel();
    return this.#turns.stop();
  }

  #work(isOtherHurried: () => boolean): LongWork {
    return new LongWork({
      clock: this.#parts.clock,
      bytesPerSecondMax: Number.POSITIVE_INFINITY,
      isOtherHurried,
    });
  }

  async #makeIfDue(group: string, work: LongWork): Promise<void> {
    const { log, historyOf, policy } = this.#parts;
    const history = historyOf(group);
    try {
      const newest = await history.newestRecord();
      if (newest === undefined) return;
      const last = this.#last.get(group) ?? (await this.#lastOf(history)) ?? { seq: 0, timeMicros: newest.timeMicros };
      this.#last.set(group, last);
      if (!isSnapshotDue(policy, last, newest)) return;
      const { snapshot, seconds } = await this.#timed(history, newest.seq, work, false);
      this.#last.set(group, { seq: snapshot.seq, timeMicros: snapshot.numbers.timeMicros });
      log.info("a snapshot is made", { group, seq: snapshot.seq, bytes: snapshot.sizeBytes, seconds });
    } catch (error) {
      if (isOwnFault(error)) throw error;
      if (error instanceof CancelledError) {
        this.#turns.due(group);
        return;
      }
      // It is tried again when more is sealed: without it points open later, and nothing is lost.
      this.#figures = { ...this.#figures, failed: this.#figures.failed + 1 };
      log.warn("a snapshot could not be made", { group, error });
    }
  }

  async #lastOf(history: GroupHistory): Promise<RecordPlace | undefined> {
    const snapshot = await history.newestSnapshot();
    return snapshot && { seq: snapshot.seq, timeMicros: snapshot.numbers.timeMicros };
  }

  async #timed(history: GroupHistory, seq: number, work: LongWork, isHurried: boolean): Promise<LaneSnapshot> {
    const { clock } = this.#parts;
    const known = new Set(await history.snapshotSeqs());
    const beganMs = clock.monotonicMs();
    const snapshot = await history.makeSnapshot(seq, work, isHurried);
    const seconds = (clock.monotonicMs() - beganMs) / 1000;
    const isNew = !known.has(snapshot.seq);
    if (isNew) this.#count(snapshot, seconds);
    return { snapshot, isNew, seconds };
  }

  #count({ numbers, sizeBytes }: Snapshot, seconds: number): void {
    const before = this.#figures;
    this.#durations.note(seconds * 1000);
    this.#figures = {
      made: before.made + 1,
      failed: before.failed,
      seconds: before.seconds + seconds,
      lastSeconds: seconds,
      pointersToJournal: before.pointersToJournal + numbers.journalPointers,
      pointersToSnapshots: before.pointersToSnapshots + numbers.snapshotPointers,
      writtenBytes: before.writtenBytes + sizeBytes,
    };
  }
}
