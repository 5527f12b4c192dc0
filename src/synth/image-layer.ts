/**
 * An image is made of layers, the newest first: records that are not sealed, sealed pieces, trees of a snapshot. Each says of
 * some blocks where their content is, and of others nothing, so that what lies below counts.
 */
import { endOfBlocks } from "#src/journals/block-extent.ts";
import { holeAddress } from "#src/records/address.ts";

export const says = {
  nothing: 0,
  hole: 1,
  data: 2,
  /** What would say it is damaged. */
  unknown: 3,
} as const;
export type Says = (typeof says)[keyof typeof says];

/** What a layer answers, in memory that is used again. */
export class LayerAnswer {
  says: Says = says.nothing;
  /** The answer holds for all blocks before this one, from the one that was asked for on. */
  endBlock = 0;
  /** Of the block that was asked for; of what is no data `holeAddress`. */
  address = holeAddress;
  /** Of the record that decides, where it is a hole or data. */
  seq = 0;
  /** Of what is unknown: what is damaged, where that is not told with the image anyway. */
  finding: string | undefined;

  nothingUntil(endBlock: number): void {
    this.says = says.nothing;
    this.endBlock = endBlock;
    this.address = holeAddress;
  }

  unknownUntil(endBlock: number, finding?: string): void {
    this.nothingUntil(endBlock);
    this.says = says.unknown;
    this.finding = finding;
  }
}

export interface ImageLayer {
  /**
   * Answers undefined where `answer` says it. Otherwise something has to be read first: ask again when the promise has resolved.
   * It rejects with an `AbsentObjectError` where an object is gone, and with a `RetryError`.
   */
  look(block: number, answer: LayerAnswer): Promise<void> | undefined;
  /** What it alone has in memory is needed no more. */
  close?(): void;
}

/** In place of a layer of which nothing can be read. */
export const unknownLayer: ImageLayer = {
  look: (_block, answer) => {
    answer.unknownUntil(endOfBlocks);
    return undefined;
  },
};
