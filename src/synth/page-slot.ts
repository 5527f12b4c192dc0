/** A page of what images are read from: in memory or not, or damaged when it was last read. */
import { pointDamageMs } from "#src/core/point-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { KeptPage, KeptPages } from "./kept-pages.ts";

/** What the pages of a group have in common. */
export interface PagePlace {
  readonly pages: KeptPages;
  readonly clock: Clock;
  /** Whether nobody asks for them any more; absent: somebody may. */
  readonly isGone?: () => boolean;
}

export interface PageContent {
  readonly sizeBytes: number;
}

export class PageSlot<Content extends PageContent> implements KeptPage {
  isUsed = false;
  readonly #place: PagePlace;
  readonly #read: () => Promise<Content>;
  #content: Content | undefined;
  #reading: Promise<void> | undefined;
  #damage: ObjectDamageError | undefined;
  #damagedAtMs = 0;

  constructor(place: PagePlace, read: () => Promise<Content>) {
    this.#place = place;
    this.#read = read;
  }

  /** Undefined: it is not in memory. */
  get content(): Content | undefined {
    this.isUsed = true;
    return this.#content;
  }

  get isGone(): boolean {
    return this.#place.isGone?.() === true;
  }

  /** It cannot be read; forgotten after a while. */
  get damage(): ObjectDamageError | undefined {
    if (this.#damage === undefined) return undefined;
    if (this.#place.clock.monotonicMs() - this.#damagedAtMs > pointDamageMs) this.#damage = undefined;
    return this.#damage;
  }

  /** Rejects as reading does, but for damage, which is noted. */
  load(): Promise<void> {
    this.#reading ??= this.#loaded().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #loaded(): Promise<void> {
    if (this.#content !== undefined) return;
    try {
      this.#content = await this.#read();
    } catch (error) {
      if (!(error instanceof ObjectDamageError)) throw error;
      this.#damage = error;
      this.#damagedAtMs = this.#place.clock.monotonicMs();
      return;
    }
    this.#place.pages.add(this, this.#content.sizeBytes);
  }

  drop(): void {
    this.#content = undefined;
  }
}
