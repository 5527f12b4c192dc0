/** Whether a volume has no point because none has come yet, and not because what would say so is lost. Reads only. */
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { HistoryGap } from "./history-gaps.ts";
import type { OpenTail } from "./open-tail.ts";
import type { SealedPoints } from "./sealed-points.ts";
import { stretchKind, type VolumeStretch } from "./volume-stretches.ts";

export interface NewVolumeFacts {
  readonly sealed: SealedPoints;
  readonly tail: OpenTail;
  /** Of the whole history, as `stretches` of the volume are. */
  readonly gaps: readonly HistoryGap[];
  readonly stretches: readonly VolumeStretch[];
}

export async function isNewVolume({ sealed, tail, gaps, stretches }: NewVolumeFacts): Promise<boolean> {
  const isBeforePoints = stretches.every(({ kind }) => kind === stretchKind.joined || kind === stretchKind.firstCopy);
  if (!isBeforePoints || gaps.length > 0 || tail.finding !== undefined) return false;
  const { basedOn } = sealed.history;
  if (basedOn > 0 && (await sealed.snapshot(basedOn)) instanceof ObjectDamageError) return false;
  for (const identity of sealed.pieces) if ((await sealed.events(identity)).damaged.length > 0) return false;
  return true;
}
