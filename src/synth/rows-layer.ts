/** Rows that are in memory anyway, as a layer. */
import type { ExtentRows } from "./extent-rows.ts";
import type { ImageLayer, LayerAnswer } from "./image-layer.ts";

export class RowsLayer implements ImageLayer {
  readonly #rows: ExtentRows;

  constructor(rows: ExtentRows) {
    this.#rows = rows;
  }

  look(block: number, answer: LayerAnswer): undefined {
    this.#rows.look(block, answer);
    return undefined;
  }
}
