/**
 * Pages that images have in memory, as many bytes of them as are allowed. Who uses one only sets a flag; what was not used since
 * it was last looked at goes first. What nobody asks for any more goes when somebody says that there is something of the kind.
 */
export interface KeptPage {
  /** Set by whoever uses it. */
  isUsed: boolean;
  /** Nobody asks for it any more: what it is of is closed, or there no more. */
  readonly isGone?: boolean;
  /** It is read again when somebody wants it. */
  drop(): void;
}

interface Kept {
  readonly page: KeptPage;
  readonly sizeBytes: number;
}

/** Of a page beside its content. */
const overheadBytes = 200;

export class KeptPages {
  readonly #limitBytes: number;
  #queue: Kept[] = [];
  #head = 0;
  #heldBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** It was read, and is in memory until `drop`. */
  add(page: KeptPage, contentBytes: number): void {
    const sizeBytes = contentBytes + overheadBytes;
    page.isUsed = false;
    this.#queue.push({ page, sizeBytes });
    this.#heldBytes += sizeBytes;
    while (this.#heldBytes > this.#limitBytes && this.#queue.length - this.#head > 1) this.#dropOne();
  }

  /** Those of which nobody asks for any more. */
  dropGone(): void {
    const there: Kept[] = [];
    for (const kept of this.#queue.slice(this.#head)) {
      if (kept.page.isGone === true) this.#drop(kept);
      else there.push(kept);
    }
    this.#queue = there;
    this.#head = 0;
  }

  #dropOne(): void {
    const kept = this.#queue[this.#head] as Kept;
    this.#head++;
    if (this.#head > this.#queue.length / 2) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    if (kept.page.isUsed) {
      kept.page.isUsed = false;
      this.#queue.push(kept);
      return;
    }
    this.#drop(kept);
  }

  #drop({ page, sizeBytes }: Kept): void {
    this.#heldBytes -= sizeBytes;
    page.drop();
  }
}
