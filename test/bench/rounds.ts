/**
 * Rounds in turn: in each round every participant is measured once, and who begins goes round, so that what else happens
 * on the machine hits all of them alike. Knows nothing of what is measured.
 */

export interface Schedule {
  readonly rounds: number;
  /** Run first and not counted. */
  readonly warmUpRounds: number;
}

/** `round` counts from 0, warm-up rounds included, so that no two turns of one participant are given the same number. */
export type Measure<Participant, Value> = (participant: Participant, round: number) => Promise<Value>;

export function turnOrder<Participant>(participants: readonly Participant[], round: number): Participant[] {
  const first = round % participants.length;
  return [...participants.slice(first), ...participants.slice(0, first)];
}

/** The values of each participant in the order of the rounds. */
export async function interleave<Participant, Value>(
  participants: readonly Participant[],
  schedule: Schedule,
  measure: Measure<Participant, Value>,
): Promise<Map<Participant, Value[]>> {
  const series = new Map(participants.map((participant) => [participant, [] as Value[]]));
  for (let round = 0; round < schedule.warmUpRounds + schedule.rounds; round++) {
    for (const participant of turnOrder(participants, round)) {
      const value = await measure(participant, round);
      if (round >= schedule.warmUpRounds) series.get(participant)?.push(value);
    }
  }
  return series;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new Error("nothing has no median");
  return (lower + upper) / 2;
}

export interface Ratio {
  /** Of the medians. */
  readonly ofMedians: number;
  /** The least and the greatest ratio within one round. */
  readonly lowest: number;
  readonly highest: number;
}

export function ratioOf(own: readonly number[], other: readonly number[]): Ratio {
  if (own.length !== other.length) throw new Error("series of different rounds cannot be compared");
  const perRound = own.map((value, round) => value / (other[round] as number));
  return {
    ofMedians: median(own) / median(other),
    lowest: Math.min(...perRound),
    highest: Math.max(...perRound),
  };
}
