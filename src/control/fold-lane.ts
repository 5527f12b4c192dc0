/**
 * Folds what was written at a coarse level once its intervals are over, beside what is sealed and beside the long works: so it has
 * as few points as was asked for soon, and the next collection already frees what they do not need. What they were made of
 * goes with that collection, which compares it first.
 *
 * Invariant: one group is folded at a time; what was ended is due again with the next piece.
 */
import { isOwnFault } from "#src/core/assert.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import { LongWork } from "#src/store/long-work.ts";
import { CancelledError } from "#src/store/work-control.ts";
import type { AgeingPolicy } from "#src/synth/ageing-plan.ts";
import type { GroupHistory } from "#src/synth/group-history.ts";
import { GroupTurns } from "./group-turns.ts";

export interface FoldLaneParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly marks: AgeingPolicy["marks"];
  readonly historyOf: (group: string) => Pick<GroupHistory, "foldLevels">;
  readonly isSealing: () => boolean;
  /** Of what is read for it in a second. */
  readonly bytesPerSecondMax: number;
}

export class FoldLane {
  readonly #parts: FoldLaneParts;
  readonly #turns: GroupTurns;

  constructor(parts: FoldLaneParts) {
    this.#parts = parts;
    const { clock, isSealing: isOtherHurried, bytesPerSecondMax } = parts;
    this.#turns = new GroupTurns({
      newWork: () => new LongWork({ clock, bytesPerSecondMax, isOtherHurried }),
      mayBegin: () => true,
      run: (group, work) => this.#fold(group, work),
    });
  }

  /** More records are sealed of a group that has a volume at a coarse level. */
  sealed(group: string): void {
    this.#turns.due(group);
  }

  /** Nothing is folded any more, as far as it is known what was sealed. */
  settled(): Promise<void> {
    return this.#turns.settled();
  }

  /** What is under way leaves nothing behind. */
  stop(): Promise<void> {
    return this.#turns.stop();
  }

  async #fold(group: string, work: LongWork): Promise<void> {
    const { log, marks, historyOf } = this.#parts;
    try {
      const { foldedPieces, madePieces } = await historyOf(group).foldLevels(marks, work);
      if (madePieces > 0) log.info("what was written at a coarse level is folded", { group, foldedPieces, madePieces });
    } catch (error) {
      if (isOwnFault(error)) throw error;
      // Each collection does it too.
      if (!(error instanceof CancelledError)) log.warn("pieces could not be folded", { group, error });
    }
  }
}
