/** What a collection tells of points that have become fewer. */
import { formatDuration } from "#src/core/duration.ts";
import type { AgeingPlan } from "#src/synth/ageing-plan.ts";
import type { AgedGroup, GroupAgeingPlan } from "./kept-histories.ts";

export function agedFigures(aged: readonly AgedGroup[]): Record<string, number> {
  const sum = (of: (one: AgedGroup) => number): number => aged.reduce((all, one) => all + of(one), 0);
  return {
    foldedPieces: sum(({ outcome }) => outcome.foldedPieces),
    madePieces: sum(({ outcome }) => outcome.madePieces),
    replacedPieces: sum(({ outcome }) => outcome.removedPieces),
  };
}

export function agedLines(aged: readonly AgedGroup[]): string[] {
  return aged.flatMap(({ group, outcome }) => [
    ...outcome.findings.map((finding) => `group ${group}: ${finding}`),
    ...planLines({ group, plan: outcome.plan }),
  ]);
}

/** Of what is only planned. */
export function ageingLines(plans: readonly GroupAgeingPlan[]): string[] {
  return plans.flatMap((one) => [
    ...replacedLines(one),
    ...one.plan.folds.map(({ firstSeq, lastSeq, pieceCount, level }) => {
      const pieces = pieceCount === 1 ? "one piece" : `${pieceCount} pieces`;
      const points = level === 0 ? "the points of their level" : `a point for each ${formatDuration(level)}`;
      return `group ${one.group}: ${pieces} of the records ${firstSeq} to ${lastSeq} keep ${points}`;
    }),
    ...planLines(one),
  ]);
}

function replacedLines({ group, plan: { replacedCount } }: GroupAgeingPlan): string[] {
  if (replacedCount === 0) return [];
  const pieces = replacedCount === 1 ? "one piece that was" : `${replacedCount} pieces that were`;
  return [`group ${group}: ${pieces} folded before go, with the blocks that nothing else needs`];
}

interface AgedPlan {
  readonly group: string;
  readonly plan: Pick<AgeingPlan, "alarm" | "heldBy">;
}

function planLines({ group, plan: { alarm, heldBy } }: AgedPlan): string[] {
  const lines: string[] = [];
  if (alarm !== undefined) lines.push(`group ${group}: no points go by their age: ${alarm.message}`);
  if (heldBy !== undefined) lines.push(`group ${group}: '${heldBy.id}' keeps all points behind it: ${heldBy.reason}`);
  return lines;
}
