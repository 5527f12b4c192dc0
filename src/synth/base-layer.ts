/**
 * What a snapshot says of a volume, as a layer. Where a node of it is damaged, what the snapshot was made of says the same, as long as
 * the history has it: an earlier snapshot, and the pieces between. They are looked for when they are needed first.
 */
import { endOfBlocks } from "#src/journals/block-extent.ts";
import { type ImageLayer, type LayerAnswer, says } from "./image-layer.ts";

export class BaseLayer implements ImageLayer {
  readonly #trees: readonly ImageLayer[];
  readonly #findMaking: () => Promise<readonly ImageLayer[]>;
  /** The newest first, and nothing below them. Undefined: nobody has looked for them. */
  #making: readonly ImageLayer[] | undefined;
  #finding: Promise<void> | undefined;

  /** `trees`: the newest first. */
  constructor(trees: readonly ImageLayer[], findMaking: () => Promise<readonly ImageLayer[]>) {
    this.#trees = trees;
    this.#findMaking = findMaking;
  }

  look(block: number, answer: LayerAnswer): Promise<void> | undefined {
    const reading = lookThrough(this.#trees, block, answer);
    if (reading !== undefined || answer.says !== says.unknown) return reading;
    // Whatever the trees below say of it may be older than what is damaged.
    if (this.#making === undefined) return this.#find();
    const { endBlock, finding } = answer;
    const other = lookThrough(this.#making, block, answer);
    if (other !== undefined) return other;
    answer.endBlock = Math.min(answer.endBlock, endBlock);
    if (answer.says === says.unknown) answer.finding ??= finding;
    return undefined;
  }

  close(): void {
    for (const layer of this.#making ?? []) layer.close?.();
  }

  #find(): Promise<void> {
    this.#finding ??= this.#findMaking()
      .then((layers) => {
        this.#making = layers;
      })
      .finally(() => {
        this.#finding = undefined;
      });
    return this.#finding;
  }
}

/** The first that says something decides. */
function lookThrough(layers: readonly ImageLayer[], block: number, answer: LayerAnswer): Promise<void> | undefined {
  let endBlock = endOfBlocks;
  answer.nothingUntil(endBlock);
  for (const layer of layers) {
    const reading = layer.look(block, answer);
    if (reading !== undefined) return reading;
    endBlock = Math.min(endBlock, answer.endBlock);
    answer.endBlock = endBlock;
    if (answer.says !== says.nothing) return undefined;
  }
  return undefined;
}
