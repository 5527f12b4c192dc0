/** Opens points that chance picks, each once, and compares all that their views hold. */
import { expect } from "vitest";
import type { ViewFacts } from "#src/control/view.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { WitnessedVolume } from "./witnessed-volume.ts";

const modeType = 6;
const levelType = 7;
const drawsPerPoint = 20;
const complaintsMax = 20;

export class PointJudge {
  readonly #volume: WitnessedVolume;
  readonly #random: SeededRandom;
  readonly #checked = new Set<number>();
  readonly #complaints: string[] = [];
  /** Behind it each write is a point that came alone, and at the level of every write. */
  #agedSeq = 0;

  constructor(volume: WitnessedVolume, random: SeededRandom) {
    this.#volume = volume;
    this.#random = random;
  }

  /** How many points were compared, each another one. */
  get count(): number {
    return this.#checked.size;
  }

  get complaints(): readonly string[] {
    return this.#complaints;
  }

  /** A collection begins, after which older points may be fewer. */
  async collects(): Promise<number> {
    this.#agedSeq = this.#volume.seqNow();
    const { result } = await this.#volume.collect();
    return result?.figures.foldedPieces ?? 0;
  }

  /**
   * So many points that were not looked at before, half of them of what is new; so many are drawn at once, and looked at from the
   * earliest on: what must be there is replayed from each to the next one, instead of from the beginning.
   */
  async checkRandom(count: number, atOnce = count): Promise<void> {
    const wanted = this.#checked.size + count;
    for (let draws = 0; this.#checked.size < wanted; ) {
      expect(draws, "draws without a new point").toBeLessThan(count * drawsPerPoint);
      const seqs = await this.#drawn(Math.min(atOnce, wanted - this.#checked.size));
      for (const seq of seqs.sort((a, b) => a - b)) await this.#checkSeq(seq);
      draws += seqs.length;
    }
  }

  async #drawn(count: number): Promise<number[]> {
    const { first, last } = await this.#volume.pointSpan();
    const newFrom = Math.min(last, Math.max(first, this.#agedSeq + 1));
    return Array.from({ length: count }, () => {
      const isOfAll = this.#random.integerBelow(2) === 0;
      return this.#random.between(isOfAll ? first : newFrom, last);
    });
  }

  async #checkSeq(seq: number): Promise<void> {
    const agedSeq = this.#agedSeq;
    const view = await this.#volume.openView(`seq:${seq}`);
    const isAged = seq <= agedSeq || this.#agedSeq !== agedSeq;
    if (view.seq !== seq && !isAged && !this.#isThinned(seq)) {
      this.#complain(`seq ${seq} should be a point, and ${view.seq} was opened for it`);
    }
    const isFirst = isAged && view.seq === this.#volume.firstPoint;
    if (view.seq > seq && !isFirst) this.#complain(`seq ${view.seq} was opened for ${seq}, which is before it`);
    if (this.#checked.has(view.seq)) return this.#volume.closeView(view);
    await this.checkView(view);
  }

  /** Every byte of it, and closes it. */
  async checkView(view: ViewFacts): Promise<void> {
    const difference = await this.#volume.compare(view);
    if (difference !== undefined) this.#complain(`seq ${view.seq}: ${difference}`);
    if (view.findings.length > 0) this.#complain(`seq ${view.seq}: ${view.findings.join("; ")}`);
    this.#checked.add(view.seq);
    await this.#volume.closeView(view);
  }

  /** It came as one with others, or at a coarse level, which is folded as soon as its interval is over. */
  #isThinned(seq: number): boolean {
    const { others } = this.#volume.order;
    const lastOf = (type: number) => others.findLast((head) => head.type === type && head.seq < seq)?.extra;
    return lastOf(modeType)?.to === "aggregated" || ((lastOf(levelType)?.seconds as number | undefined) ?? 0) > 0;
  }

  #complain(words: string): void {
    if (this.#complaints.length < complaintsMax) this.#complaints.push(words);
  }
}
