/**
 * Checks a piece whose place a folded one has taken. It is read until it goes: the two are compared, what it points to is marked, and
 * it counts again where the folded one is not what it should be. Where it could not be read each collection would end with it.
 */

import type { ObjectSource } from "#src/store/object-ends.ts";
import { unlessUnreadable } from "#src/store/object-presence.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { type CheckedObject, scrubObject } from "./object-scrub.ts";
import type { StoreScrubParts } from "./object-scrubs.ts";
import type { FoundPieces } from "./pieces-in-force.ts";
import { isPieceRemade } from "./repair-piece.ts";
import { PieceCheck } from "./scrub-piece.ts";
import { SealedPiece } from "./sealed-piece.ts";
import { objectOfPiece, type SealedPieceIdentity, sealedPieceName } from "./sealed-piece-format.ts";

/** Rejects with an `AbsentObjectError` where it is not there any more. */
export async function scrubReplacedPiece(
  parts: StoreScrubParts,
  { inForce, replaced }: FoundPieces,
  identity: SealedPieceIdentity,
  control: WorkControl,
): Promise<CheckedObject> {
  const { objects, key, store } = parts;
  const { group, firstSeq } = identity;
  const opened = async (other: SealedPieceIdentity | undefined) =>
    other === undefined ? undefined : await unlessUnreadable(SealedPiece.open(objects, other, key));
  // Nothing follows it, and no point needs what it points to, other than what the folded one says too.
  const alone = { before: undefined, head: undefined, oldestSeq: Number.POSITIVE_INFINITY };
  const piece = new PieceCheck({ key, segments: store.segments, objects, ...alone }, identity, control);
  const repair = async () => {
    const folded = inForce.findLast((other) => other.firstSeq <= firstSeq);
    const listed = (await opened(folded))?.folding?.replaced ?? [];
    const expected = listed.find((one) => one.generation === 0 && one.firstSeq === firstSeq);
    // Should it be another one that was before, then what is made has another hash, and is not used.
    const others = [...inForce, ...replaced.filter((other) => other.folded === undefined)];
    const earlier = others.filter((other) => other !== folded && other.firstSeq < firstSeq);
    const before = (await opened(earlier.sort((a, b) => a.firstSeq - b.firstSeq).at(-1)))?.link;
    const walkFrom = (seq: number) => parts.walkFrom(group, seq);
    return await isPieceRemade({ objects, key, expected, before, walkFrom }, identity);
  };
  const check = (source: ObjectSource) => piece.check(source);
  return await scrubObject(
    parts,
    { name: sealedPieceName(identity), identity: objectOfPiece(identity), check, repair },
    control,
  );
}
