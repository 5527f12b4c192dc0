/**
 * Objects of segments that nobody needs any more, until they go: when whoever had begun to read them has had the time to end.
 *
 * Invariant: an object is here only if its successor is there, whole and durable, or nothing of its segment is needed.
 */

import { RetryError } from "#src/core/errors.ts";
import { graceLookMs } from "#src/core/store-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import type { FingerprintIndex } from "./fingerprint-index.ts";
import { AbsentObjectError, type Objects } from "./objects.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import { type SegmentIdentity, segmentObjectName } from "./segment-format.ts";
import type { WorkControl } from "./work-control.ts";

export interface DoomedObjectsParts {
  readonly objects: Pick<Objects, "remove" | "sizeBytes">;
  readonly segments: SealedSegments;
  readonly index: FingerprintIndex;
  readonly graceMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

interface Doomed extends SegmentIdentity {
  readonly sizeBytes: number;
  readonly dueAtMs: number;
}

export class DoomedObjects {
  readonly #parts: DoomedObjectsParts;
  /** The one that is due first is first. */
  #doomed: Doomed[] = [];
  #removedBytes = 0;

  constructor(parts: DoomedObjectsParts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#doomed.length;
  }

  /** They are there still. */
  get left(): readonly SegmentIdentity[] {
    return this.#doomed;
  }

  /** Since the beginning. */
  get removedBytes(): number {
    return this.#removedBytes;
  }

  /** Nobody is going to begin to read it. */
  async add({ segment, generation }: SegmentIdentity): Promise<void> {
    const { objects, graceMs, clock } = this.#parts;
    try {
      const sizeBytes = await objects.sizeBytes(segmentObjectName({ segment, generation }));
      this.#doomed.push({ segment, generation, sizeBytes, dueAtMs: clock.monotonicMs() + graceMs });
    } catch (error) {
      if (!(error instanceof AbsentObjectError)) throw error;
    }
  }

  /** Waits until one of them is due, and removes all that are. */
  async removeNext(control: WorkControl): Promise<void> {
    const [first] = this.#doomed;
    if (first === undefined) return;
    await this.#waitUntil(first.dueAtMs, control);
    const nowMs = this.#parts.clock.monotonicMs();
    const due = this.#doomed.filter(({ dueAtMs }) => dueAtMs <= nowMs);
    await this.#leaveIndex(due);
    for (const one of due) {
      control.throwIfCancelled();
      await this.#parts.objects.remove(segmentObjectName(one));
      this.#doomed = this.#doomed.filter((doomed) => doomed !== one);
      this.#removedBytes += one.sizeBytes;
    }
  }

  /** An index that knows a segment which the store has not is one of another store. */
  async #leaveIndex(due: readonly Doomed[]): Promise<void> {
    const { index, segments, log } = this.#parts;
    const gone = due.filter(({ segment }) => !segments.has(segment));
    for (const { segment } of gone) await index.forgetSegment(segment);
    if (gone.length > 0) await flushIfRoom(index, log);
  }

  async #waitUntil(dueAtMs: number, control: WorkControl): Promise<void> {
    const { clock } = this.#parts;
    for (;;) {
      control.throwIfCancelled();
      const leftMs = dueAtMs - clock.monotonicMs();
      if (leftMs <= 0) return;
      await new Promise<void>((resolve) => {
        clock.timer(Math.min(leftMs, graceLookMs), resolve);
      });
      await control.pace(0);
    }
  }
}

/** Where the index cannot forget for want of room it says later what is not so, and is not believed. */
export async function flushIfRoom(index: FingerprintIndex, log: Log): Promise<void> {
  try {
    await index.flush();
  } catch (error) {
    if (!(error instanceof RetryError)) throw error;
    log.warn("the index of the store cannot forget what is collected just now", { error });
  }
}
