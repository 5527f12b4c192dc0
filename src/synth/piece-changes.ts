/** What sealed pieces say of blocks, by their indexes, which are read page by page. */
import type { BlockExtent } from "#src/journals/block-extent.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";

/** What the piece's index says, of records behind this seq: all before is known already. */
export async function* indexPages(piece: SealedPiece, afterSeq: number): AsyncGenerator<readonly BlockExtent[], void> {
  for (let number = 0; number < piece.extentPageCount; number++) {
    const page = await piece.extentPage(number);
    const later = piece.identity.firstSeq > afterSeq ? page : page.filter(({ seq }) => seq > afterSeq);
    if (later.length > 0) yield later;
  }
}
