/** Two series of rates of the same rounds, and a goal for their ratio. */
import { roundDown } from "./rounding.ts";
import { ratioOf } from "./rounds.ts";

export interface RateComparison {
  /** Of the medians; judged by this very number, which is rounded to the side that is not ours. */
  readonly ratio: number;
  readonly ratioLowest: number;
  readonly ratioHighest: number;
  readonly goal: number;
  readonly met: boolean;
}

export function compareRates(own: readonly number[], other: readonly number[], goal: number): RateComparison {
  const { ofMedians, lowest, highest } = ratioOf(own, other);
  const ratio = roundDown(ofMedians, 2);
  return { ratio, ratioLowest: roundDown(lowest, 2), ratioHighest: roundDown(highest, 2), goal, met: ratio >= goal };
}
