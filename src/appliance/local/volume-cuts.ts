/**
 * Where volumes of a group were cut: a record from before a cut is about blocks that are not there any more, or that a
 * volume which has grown again since has anew, as zeros. Pure.
 */
import { divCeil } from "#src/core/byte-range.ts";
import { blockBytes } from "#src/core/limits.ts";

interface Cut {
  readonly volume: number;
  readonly seq: number;
  readonly endBlock: number;
}

export class VolumeCuts {
  readonly #cuts: Cut[] = [];

  /** A `resize` record, as it was read or made; one that says nothing of use cuts nothing. */
  add(volume: number, seq: number, content: Readonly<Record<string, unknown>>): void {
    const { sizeBytes, previousBytes } = content;
    if (!Number.isSafeInteger(sizeBytes) || !Number.isSafeInteger(previousBytes)) return;
    if ((sizeBytes as number) >= (previousBytes as number)) return;
    this.#cuts.push({ volume, seq, endBlock: divCeil(sizeBytes as number, blockBytes) });
  }

  /** Of a record with this seq only the blocks before this one still count. */
  endBlockOf(volume: number, seq: number): number {
    let endBlock = Number.POSITIVE_INFINITY;
    for (const cut of this.#cuts) {
      if (cut.volume === volume && cut.seq > seq) endBlock = Math.min(endBlock, cut.endBlock);
    }
    return endBlock;
  }
}
