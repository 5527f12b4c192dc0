/** An invariant of the design does not hold. The name is the invariant's, as docs/simulation.md lists them. */
export type Invariant = "order" | "ahead" | "promise" | "prefix" | "truth" | "bound" | "once" | "liveness" | "conduct";

export class Violation extends Error {
  override name = "Violation";
  readonly invariant: Invariant;

  constructor(invariant: Invariant, message: string) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
  }
}

export function demand(invariant: Invariant, holds: boolean, message: () => string): void {
  if (!holds) throw new Violation(invariant, message());
}
