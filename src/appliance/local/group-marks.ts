/**
 * Puts named consistency points into a group's order. Whatever hosts were answered before a mark was asked for comes
 * before it; the mark is told of when it is as safe as a flush would be.
 *
 * Invariants: a mark that was not placed within its time is never placed; there is none where its place would be no point.
 */
import { RefuseError, RetryError } from "#src/core/errors.ts";
import type { Clock } from "#src/host/clock.ts";
import { whenDone } from "#src/host/when-done.ts";
import { recordType, wholeGroup } from "#src/records/record.ts";
import type { GroupFlushes } from "./group-flushes.ts";
import type { GroupVolumes } from "./group-volumes.ts";
import type { Order } from "./order.ts";
import type { FoundMark } from "./spool-facts.ts";

export interface MarkRequest {
  readonly name: string;
  /** Whoever asks has brought applications to rest. */
  readonly isQuiesced: boolean;
  /** By the clock of this host (`hostMs`): it was taken where the request came, which may be another thread. */
  readonly deadlineMs: number;
}

export interface PlacedMark {
  readonly name: string;
  readonly isQuiesced: boolean;
  readonly epoch: number;
  readonly seq: number;
  readonly timeMicros: number;
}

export interface GroupMarksParts {
  readonly order: Order;
  readonly flushes: GroupFlushes;
  readonly volumes: GroupVolumes;
  readonly clock: Clock;
  readonly failure: () => Error | undefined;
  /** In the spool, when it was opened. */
  readonly found: readonly FoundMark[];
  readonly remoteSeq: () => number;
}

const noRoom: string = "there was no room for a mark in time: the spool is full";
const tooLate: string =
  "the time for the mark was over before the local appliance came to it, and it was not set: it was held up, or slow, and a " +
  "mark set now might claim a rest that has ended";

/** An order without room is tried again so much later. */
const againAfterMs = 20;

export class GroupMarks {
  readonly #parts: GroupMarksParts;
  /** Volumes of which the order says that they began empty. */
  readonly #saidEmpty = new Set<number>();

  constructor(parts: GroupMarksParts) {
    this.#parts = parts;
  }

  async place({ name, isQuiesced, deadlineMs }: MarkRequest): Promise<PlacedMark> {
    const { order, flushes, clock } = this.#parts;
    for (let why = tooLate; ; why = noRoom) {
      const leftMs = deadlineMs - clock.hostMs();
      if (leftMs <= 0) throw new RetryError(why);
      const failure = this.#parts.failure();
      if (failure !== undefined) throw failure;
      this.#refuseWhereNoPointIs();
      const isSaid = this.#sayWhatIsEmpty();
      const content = { name, quiesced: isQuiesced };
      const seq = isSaid ? order.placeNowOrNever(recordType.mark, wholeGroup, content) : undefined;
      if (seq !== undefined) {
        const placed = { name, isQuiesced, epoch: order.epoch, seq, timeMicros: order.lastTimeMicros };
        await whenDone((done) => flushes.whenSafe(seq, done));
        return placed;
      }
      await new Promise<void>((resolve) => clock.timer(Math.min(againAfterMs, leftMs), resolve));
    }
  }

  /** Of before the start: nobody here knows any more who was promised them, and the remote has not said that it has them durably. */
  get onTheWay(): readonly FoundMark[] {
    const durableSeq = this.#parts.remoteSeq();
    return this.#parts.found.filter(({ seq }) => seq > durableSeq);
  }

  /**
   * Of a volume to which nothing was written yet whoever reads the order cannot know whether its source had anything: it has a point
   * behind the word that all of that is there. Answers whether there was room.
   */
  #sayWhatIsEmpty(): boolean {
    const { order, volumes } = this.#parts;
    for (const { number, sizeBytes } of volumes.untouched) {
      if (this.#saidEmpty.has(number)) continue;
      if (order.placeNowOrNever(recordType.initialComplete, number, { sizeBytes }) === undefined) return false;
      this.#saidEmpty.add(number);
    }
    return true;
  }

  /** A mark stands for all volumes of the group, each as its host saw it. */
  #refuseWhereNoPointIs(): void {
    const { missing, resyncing } = this.#parts.volumes;
    if (missing !== undefined)
      throw new RefuseError(
        `no mark can be set: the volume '${missing}' is not attached, so its state is not known here; 'tidemark group forget ` +
          "--help' says what to do if its interceptor never comes back",
      );
    if (resyncing !== undefined)
      throw new RefuseError(
        `no mark can be set: the volume '${resyncing}' is being copied, and is no point until that ends`,
      );
  }
}
