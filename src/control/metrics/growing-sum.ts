/**
 * What several count together, each of which begins anew when it is opened again, and may go for good: a sum that only grows, since one
 * that falls is taken for one that began anew. What was counted between the last look and an end is not in it.
 */
export class GrowingSum {
  readonly #counts = new Map<string, number>();
  #sum = 0;

  get sum(): number {
    return this.#sum;
  }

  /** As it is counted now, by whom. */
  look(name: string, count: number): void {
    const before = this.#counts.get(name) ?? 0;
    this.#sum += count < before ? count : count - before;
    this.#counts.set(name, count);
  }
}
