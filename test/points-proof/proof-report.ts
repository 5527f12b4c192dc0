/** What a run of the proof came to, for whoever wants to know how much was looked at. */
import type { DifferenceJudge } from "./difference-judge.ts";
import type { MarkJudge } from "./mark-judge.ts";
import type { PointJudge } from "./point-judge.ts";
import type { WitnessedVolume } from "./witnessed-volume.ts";

export interface Judges {
  readonly points: PointJudge;
  readonly marks: MarkJudge;
  readonly differences: DifferenceJudge;
}

export function complaintsOf({ points, marks, differences }: Judges): string[] {
  return [...points.complaints, ...marks.complaints, ...differences.complaints];
}

export function writeCount({ log }: WitnessedVolume): number {
  return log.changes.filter(({ kind }) => kind === "write").length;
}

export function proofReport(volume: WitnessedVolume, judges: Judges, foldedPieces: number): string {
  const { log, order } = volume;
  const { points, marks, differences } = judges;
  const ofKind = (kind: string): number => log.changes.filter((change) => change.kind === kind).length;
  const ofType = (type: number): number => order.others.filter((head) => head.type === type).length;
  const cleared = ofKind("zero") + ofKind("clear");
  const { differentBlocks, toldBlocks } = differences;
  return [
    `${writeCount(volume)} writes, ${ofKind("trim")} trims, ${cleared} zeroings, ${ofType(4)} flushes;`,
    `${ofType(6)} switches of the mode, ${ofType(7)} of the level; ${foldedPieces} pieces folded;`,
    `${volume.marks.length} marks, of which ${marks.goneCount} have gone; ${points.count} points compared,`,
    `and ${differences.count} pairs (${toldBlocks} blocks told of, ${differentBlocks} differed);`,
    `${complaintsOf(judges).length} complaints`,
  ].join(" ");
}
