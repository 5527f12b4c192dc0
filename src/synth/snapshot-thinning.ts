/**
 * Which snapshots that nobody has asked for go, once what they lie in was folded: there they are no points any more, or points
 * without them, and one for each folded piece is enough for these to open soon.
 */
import { historyWithdrawnMax } from "#src/core/store-limits.ts";
import type { HistoryDocument } from "./history-document.ts";
import { isPointByItself } from "./kept-snapshots.ts";
import type { PieceSpan } from "./retention-plan.ts";

/** Room is left for those that people remove: the rest goes when some of these have gone. */
const withdrawnMax = historyWithdrawnMax / 2;

/** `kept` and `folded` are in their order. */
export function thinnedSnapshots(
  history: HistoryDocument,
  kept: readonly number[],
  folded: readonly Pick<PieceSpan, "firstSeq" | "lastSeq">[],
): number[] {
  const gone = folded.flatMap(({ firstSeq, lastSeq }) => {
    const within = kept.filter((seq) => seq >= firstSeq && seq <= lastSeq);
    return within.slice(0, -1).filter((seq) => !isPointByItself(history, seq));
  });
  return gone.slice(0, Math.max(0, withdrawnMax - history.withdrawn.length));
}
