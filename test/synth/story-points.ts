/** Which points of a story's history there are, and which there must be: what somebody holds, and what is left must be right. */
import type { AgeingPolicy } from "#src/synth/ageing-plan.ts";
import type { PlainRecord } from "#test/journals/random-units.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { pointsOf, stateFindings } from "./folded-points.ts";

const statesLooked = 4;

export class StoryPoints {
  /** Points that pins hold, as far as that surely is so. */
  readonly pinned = new Map<string, readonly number[]>();
  /** Those whose snapshot somebody asked for. */
  readonly asked = new Set<number>();
  /** What the pieces had to say at the last look, and up to where. */
  #left: readonly PlainRecord[] = [];
  #points: ReadonlySet<number> = new Set();
  #lastSeq = 0;

  found(records: readonly PlainRecord[], lastSeq: number): void {
    this.#left = records;
    this.#points = new Set(pointsOf(records));
    this.#lastSeq = lastSeq;
  }

  /** Whether a point that there was is one still, as of the last look. */
  isLeft(seq: number): boolean {
    return seq > this.#lastSeq || this.#points.has(seq);
  }

  /** What is wrong, where the history begins with `basedOn`. */
  findings(records: readonly PlainRecord[], basedOn: number, random: SeededRandom): string[] {
    const held = [...this.pinned.values(), [...this.asked]].flat().filter((seq) => seq > basedOn);
    const lost = held.filter((seq) => !this.isLeft(seq)).map((seq) => `point ${seq} is held, and is none any more`);
    const some = [...this.#points].filter((seq) => seq >= basedOn);
    const seqs = Array.from({ length: Math.min(statesLooked, some.length) }, () => random.pick(some));
    return [...lost, ...stateFindings({ records, left: this.#left, basedOn }, seqs)];
  }
}

/** Two levels, which much of a story has come of age for. */
export function randomAgeing(random: SeededRandom): AgeingPolicy {
  const [fine, coarse] = [random.pick([1, 2, 5]), random.pick([20, 60])];
  const keptMicros = random.pick([0, Number.POSITIVE_INFINITY]);
  return {
    steps: [
      { afterMicros: random.integerBelow(30) * 1e6, level: fine },
      { afterMicros: (30 + random.integerBelow(60)) * 1e6, level: coarse },
    ],
    marks: { quiescedMicros: keptMicros, otherMicros: keptMicros },
  };
}
