/** The way from one simulated host to another, one direction: it carries things in order, late, or not for now. */
import type { SeededRandom } from "./seeded-random.ts";
import type { SimClock } from "./sim-clock.ts";

export class SimPath {
  readonly #clock: SimClock;
  readonly #random: SeededRandom;
  /** Links with something to deliver that may not for now. */
  readonly #waiting = new Set<SimLink>();
  /** Added to each way. */
  delayMs = 0;
  latencyMsMax = 1;
  /** How much may be on the way in one direction of a connection: one of these. */
  pipeCapacitiesBytes: readonly number[] = [4096, 20_000, 65_536, 262_144];
  #isHeld = false;

  constructor(clock: SimClock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Nothing arrives until `release`; nothing is lost, as bytes that are sent again and again until they arrive. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const link of waiting) link.deliver();
  }

  /** Things on one link arrive in the order in which they were sent; those of two links need not. */
  openLink(): SimLink {
    return new SimLink(this, this.#clock);
  }

  /** The link is told to deliver when the path is released. */
  wait(link: SimLink): void {
    this.#waiting.add(link);
  }

  drawDelayMs(): number {
    return this.delayMs + (this.latencyMsMax * this.#random.integerBelow(1000)) / 1000;
  }
}

export class SimLink {
  readonly #path: SimPath;
  readonly #clock: SimClock;
  readonly #travelling: { readonly dueMs: number; readonly arrive: () => void }[] = [];

  constructor(path: SimPath, clock: SimClock) {
    this.#path = path;
    this.#clock = clock;
  }

  get pipeCapacitiesBytes(): readonly number[] {
    return this.#path.pipeCapacitiesBytes;
  }

  carry(arrive: () => void): void {
    const delayMs = this.#path.drawDelayMs();
    this.#travelling.push({ dueMs: this.#clock.nowMs + delayMs, arrive });
    this.#clock.schedule(delayMs, () => this.deliver());
  }

  /** Whatever is due arrives, unless the path is held; what is due behind something that is not waits for it. */
  deliver(): void {
    if (this.#path.isHeld) this.#path.wait(this);
    while (!this.#path.isHeld && this.#travelling[0] !== undefined && this.#travelling[0].dueMs <= this.#clock.nowMs) {
      this.#travelling.shift()?.arrive();
    }
  }
}
