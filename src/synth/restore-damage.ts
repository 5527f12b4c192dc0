/** What of a point cannot be read, as a restore tells it: ranges of bytes, the first of them one by one. */
import { blockBytes } from "#src/core/limits.ts";
import { restoreFindingsMax } from "#src/core/restore-limits.ts";

interface Range {
  position: number;
  endByte: number;
}

export class RestoreDamage {
  readonly #ranges: Range[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** `blocks` are counted from the position on, `sizeBytes` is the volume's. */
  add(position: number, blocks: readonly number[], sizeBytes: number): void {
    for (const block of blocks) {
      const start = position + block * blockBytes;
      const endByte = Math.min(start + blockBytes, sizeBytes);
      this.#bytes += endByte - start;
      const last = this.#ranges.at(-1);
      if (last?.endByte === start) last.endByte = endByte;
      else if (this.#ranges.length < restoreFindingsMax) this.#ranges.push({ position: start, endByte });
    }
  }

  /** Nothing where all was read. */
  get lines(): string[] {
    const lines = this.#ranges
      .toSorted((a, b) => a.position - b.position)
      .map(({ position, endByte }) => `bytes ${position} to ${endByte - 1} cannot be read, the store is damaged there`);
    const told = this.#ranges.reduce((sum, { position, endByte }) => sum + endByte - position, 0);
    return told < this.#bytes ? [...lines, `and ${this.#bytes - told} bytes more`] : lines;
  }
}
