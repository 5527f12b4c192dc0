/** What a run of the proof came to, for whoever wants to know how much was looked at. */
import type { PointJudge } from "./point-judge.ts";
import type { WitnessedVolume } from "./witnessed-volume.ts";

export function proofReport({ log, order, marks }: WitnessedVolume, judge: PointJudge, foldedPieces: number): string {
  const ofKind = (kind: string): number => log.changes.filter((change) => change.kind === kind).length;
  const ofType = (type: number): number => order.others.filter((head) => head.type === type).length;
  const cleared = ofKind("zero") + ofKind("clear");
  return [
    `${ofKind("write")} writes, ${ofKind("trim")} trims, ${cleared} zeroings, ${ofType(4)} flushes;`,
    `${ofType(6)} switches of the mode, ${ofType(7)} of the level, ${marks.length} marks; ${foldedPieces} pieces folded;`,
    `${judge.count} points compared, ${judge.complaints.length} complaints`,
  ].join(" ");
}
