/**
 * A group's sealed pieces, the oldest first. Each names the one before it and has its hash, so that one that is missing,
 * swapped, or written a second time is found. Nothing follows the newest one, so nothing here vouches for it.
 */
import { StopError } from "#src/core/errors.ts";
import type { Objects } from "#src/store/objects.ts";
import { SealedPiece } from "./sealed-piece.ts";
import { sealedPieceOfName, sealedPiecePrefix } from "./sealed-piece-format.ts";

/**
 * What the first one says of pieces before it, is for the caller to judge: they may have been let go of. Throws a
 * `StopError` where one does not follow the one before.
 */
export async function* sealedPieces(
  objects: Objects,
  group: string,
  key: Buffer | undefined,
): AsyncGenerator<SealedPiece, void> {
  let before: SealedPiece | undefined;
  for await (const { name } of objects.list(sealedPiecePrefix(group))) {
    const identity = sealedPieceOfName(name);
    if (identity === undefined) continue;
    const piece = await SealedPiece.open(objects, identity, key);
    const finding = before === undefined ? undefined : chainFinding(before, piece);
    if (finding !== undefined) throw new StopError(`${piece.name} does not follow ${before?.name}: ${finding}`);
    yield piece;
    before = piece;
  }
}

/** Why the second does not follow the first; undefined: it does. */
export function chainFinding(before: SealedPiece, piece: SealedPiece): string | undefined {
  const { previous } = piece;
  const { hash, firstSeq, lastSeq, lastEpoch } = before.link;
  if (previous === undefined) return "it was sealed as the first one";
  if (previous.firstSeq !== firstSeq || previous.lastSeq !== lastSeq) {
    return `it was sealed behind the one of the records ${previous.firstSeq} to ${previous.lastSeq}`;
  }
  if (!previous.hash.equals(hash)) return "it was sealed behind another one of the same records";
  const { firstEpoch } = piece.numbers;
  const isNext = piece.identity.firstSeq === lastSeq + 1 && firstEpoch === lastEpoch;
  const isLegalJump = piece.identity.firstSeq > lastSeq && firstEpoch > lastEpoch;
  return isNext || isLegalJump ? undefined : `it begins with record ${piece.identity.firstSeq} of epoch ${firstEpoch}`;
}
