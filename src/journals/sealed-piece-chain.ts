/**
 * A group's sealed pieces, the oldest first. Each names the one before it and has its hash, so that one that is missing,
 * swapped, or written a second time is found. Nothing follows the newest one, so nothing here vouches for it.
 */
import { StopError } from "#src/core/errors.ts";
import type { Objects } from "#src/store/objects.ts";
import { piecesInForce } from "./pieces-in-force.ts";
import { SealedPiece } from "./sealed-piece.ts";
import type { PieceLink } from "./sealed-piece-format.ts";

/**
 * What the first one says of pieces before it, is for the caller to judge: they may have been let go of. Throws a
 * `StopError` where one does not follow the one before.
 */
export async function* sealedPieces(
  objects: Objects,
  group: string,
  key: Buffer | undefined,
): AsyncGenerator<SealedPiece, void> {
  let before: PieceLink | undefined;
  for (const identity of await piecesInForce(objects, group)) {
    const piece = await SealedPiece.open(objects, identity, key);
    const finding = before === undefined ? undefined : chainFinding(before, piece);
    if (finding !== undefined) throw new StopError(`${piece.name} does not follow the piece before: ${finding}`);
    yield piece;
    before = piece.link;
  }
}

/** Why the piece does not follow the one of this link, or is not the first where there is none; undefined: all is well. */
export function chainFinding(before: PieceLink | undefined, piece: SealedPiece): string | undefined {
  const { previous } = piece;
  if (previous === undefined) return before === undefined ? undefined : "it was sealed as the first one";
  if (before === undefined || previous.firstSeq !== before.firstSeq || previous.lastSeq !== before.lastSeq) {
    return `it was sealed behind the one of the records ${previous.firstSeq} to ${previous.lastSeq}`;
  }
  const { hash, lastSeq, lastEpoch } = before;
  if (!previous.hash.equals(hash)) return "it was sealed behind another one of the same records";
  const { firstEpoch } = piece.numbers;
  const isNext = piece.identity.firstSeq === lastSeq + 1 && firstEpoch === lastEpoch;
  const isLegalJump = piece.identity.firstSeq > lastSeq && firstEpoch > lastEpoch;
  return isNext || isLegalJump ? undefined : `it begins with record ${piece.identity.firstSeq} of epoch ${firstEpoch}`;
}
