/** A group's snapshots as one of its volumes has them: those at which it has a point. Reads only. */
import { timelineItemsMax } from "#src/core/point-limits.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { OpenTail } from "./open-tail.ts";
import type { SealedPoints } from "./sealed-points.ts";
import { gapEndBehind } from "./unprotected-time.ts";
import { isPoint } from "./volume-state.ts";
import { stretchKind, type VolumeStretch } from "./volume-stretches.ts";
import type { TimelineSnapshot } from "./volume-timeline.ts";

export interface SnapshotsWanted {
  readonly volume: number;
  /** Of the volume. */
  readonly stretches: readonly VolumeStretch[];
  /** Whether the group still has a point there. */
  readonly isThere: (seq: number) => Promise<boolean>;
}

interface Parts {
  readonly sealed: SealedPoints;
  readonly tail: OpenTail;
}

/** The latest, in their order; one more than is told at once, so that it is known that there are more. */
export async function timelineSnapshots(parts: Parts, wanted: SnapshotsWanted): Promise<readonly TimelineSnapshot[]> {
  const found: TimelineSnapshot[] = [];
  for (const seq of parts.sealed.snapshotSeqs.toReversed()) {
    if (!(await wanted.isThere(seq))) continue;
    const snapshot = await snapshotOf(parts, wanted, seq);
    if (snapshot !== undefined) found.push(snapshot);
    if (found.length > timelineItemsMax) break;
  }
  return found.reverse();
}

/** Undefined: it is no point of the volume. */
async function snapshotOf(
  parts: Parts,
  { volume, stretches }: SnapshotsWanted,
  seq: number,
): Promise<TimelineSnapshot | undefined> {
  const { sealed } = parts;
  const held = await sealed.snapshot(seq);
  if (held instanceof ObjectDamageError) {
    const kind = stretches.findLast(({ fromSeq }) => fromSeq <= seq)?.kind;
    // Of what was before the history nothing else tells.
    return kind === stretchKind.points || seq < sealed.history.basedOn ? { seq, timeMicros: undefined } : undefined;
  }
  const { numbers, volumes } = held.snapshot;
  const state = volumes.find(({ number }) => number === volume);
  if (state === undefined || !isPoint(state)) return undefined;
  const { timeMicros } = numbers;
  // It knows nothing of what was written without protection before it.
  const gapEnd = await gapEndBehind(parts, volume, { seq, timeMicros });
  return gapEnd === undefined ? { seq, timeMicros } : undefined;
}
