/**
 * Where records are damaged, or missing, so that a point that somebody means may be among them: whoever finds one before them asks here
 * whether that is the one that was meant. Reads only.
 */
import type { HistoryGaps } from "./history-gaps.ts";
import type { OpenTail } from "./open-tail.ts";
import type { DamagedRecords } from "./piece-events.ts";
import type { SealedPoints } from "./sealed-points.ts";

export interface LostRecordsParts {
  readonly sealed: SealedPoints;
  readonly tail: OpenTail;
  readonly gaps: HistoryGaps;
}

/**
 * The first that are lost behind a point and before another one, between which no point can be read; `finding` in words that go on behind
 * their seqs. Undefined: none are. `beforeSeq` infinite: all behind the first. Rejects as `HistoryGaps.find` does.
 */
export async function lostBetween(
  { sealed, tail, gaps }: LostRecordsParts,
  afterSeq: number,
  beforeSeq: number,
): Promise<DamagedRecords | undefined> {
  // What is before the beginning of the history is not lost.
  if (beforeSeq <= afterSeq) return undefined;
  const index = sealed.indexOf(afterSeq);
  const pieces = sealed.pieces.slice(Math.max(0, index)).filter(({ firstSeq }) => firstSeq <= beforeSeq);
  const lost: DamagedRecords[] = [];
  for (const identity of pieces) {
    const { damaged } = await sealed.events(identity);
    lost.push(...damaged.map(({ finding, ...seqs }) => ({ ...seqs, finding: `damaged: ${finding}` })));
  }
  const start = index < 0 ? gaps.historyStart : undefined;
  lost.push(...(await gaps.find({ start, pieces, isWithTail: beforeSeq > sealed.lastSeq })));
  if (tail.finding !== undefined) {
    const firstSeq = Math.max(tail.seenSeq, sealed.lastSeq) + 1;
    lost.push({ firstSeq, lastSeq: tail.durableSeq, finding: `damaged: ${tail.finding}` });
  }
  const [first] = lost
    .filter(({ firstSeq, lastSeq }) => lastSeq > afterSeq && firstSeq < beforeSeq)
    .sort((a, b) => a.firstSeq - b.firstSeq);
  // A snapshot in their midst may be the point that they are behind.
  return first === undefined ? undefined : { ...first, firstSeq: Math.max(first.firstSeq, afterSeq + 1) };
}

/** Why the record cannot be told from one that is no point; undefined: nothing is lost there. */
export async function lossAt({ sealed, tail, gaps }: LostRecordsParts, seq: number): Promise<string | undefined> {
  const identity = sealed.pieces[sealed.indexOf(seq)];
  const damaged = identity === undefined ? [] : (await sealed.events(identity)).damaged;
  const damage = damaged.find(({ firstSeq, lastSeq }) => seq >= firstSeq && seq <= lastSeq);
  if (damage !== undefined) return `the record is damaged: ${damage.finding}`;
  const gap = (await gaps.ofWhole()).find(({ firstSeq, lastSeq }) => seq >= firstSeq && seq <= lastSeq);
  if (gap !== undefined) return `the record is ${gap.finding}`;
  return seq > sealed.lastSeq ? tail.finding : undefined;
}

/** For people. */
export function lossInWords({ firstSeq, lastSeq, finding }: DamagedRecords): string {
  return `${firstSeq === lastSeq ? `record ${firstSeq} is` : `records ${firstSeq} to ${lastSeq} are`} ${finding}`;
}
