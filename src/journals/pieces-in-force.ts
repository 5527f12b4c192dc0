/**
 * Which of the pieces that are there count: where pieces were folded into one, that one from the moment on in which it is
 * there, and those that it takes the place of no more, however long they stay. It is known from names alone.
 */
import type { ObjectInfo, Objects } from "#src/store/objects.ts";
import { type SealedPieceIdentity, sealedPieceOfName, sealedPiecePrefix } from "./sealed-piece-format.ts";

export interface FoundPieces {
  /** In their order. */
  readonly inForce: readonly SealedPieceIdentity[];
  readonly replaced: readonly SealedPieceIdentity[];
}

/** Of one group. A folded piece is of whole pieces, so none of them is partly replaced. */
export function sortedPieces(identities: Iterable<SealedPieceIdentity>): FoundPieces {
  const sorted = [...identities].sort((a, b) => a.firstSeq - b.firstSeq || generationOf(b) - generationOf(a));
  const inForce: SealedPieceIdentity[] = [];
  const replaced: SealedPieceIdentity[] = [];
  let foldedUpTo = 0;
  for (const identity of sorted) {
    const isReplaced = identity.firstSeq <= foldedUpTo;
    (isReplaced ? replaced : inForce).push(identity);
    if (!isReplaced) foldedUpTo = identity.folded?.lastSeq ?? 0;
  }
  return { inForce, replaced };
}

function generationOf({ folded }: SealedPieceIdentity): number {
  return folded?.generation ?? 0;
}

export async function foundPieces(objects: Pick<Objects, "list">, group: string): Promise<FoundPieces> {
  const identities: SealedPieceIdentity[] = [];
  for await (const { name } of objects.list(sealedPiecePrefix(group))) {
    const identity = sealedPieceOfName(name);
    if (identity !== undefined) identities.push(identity);
  }
  return sortedPieces(identities);
}

/** Those of a group that count, in their order. */
export async function piecesInForce(
  objects: Pick<Objects, "list">,
  group: string,
): Promise<readonly SealedPieceIdentity[]> {
  return (await foundPieces(objects, group)).inForce;
}

/** Of a list of objects in the order of their names, without the pieces that do not count. */
export async function* withoutReplaced(list: AsyncIterable<ObjectInfo>): AsyncGenerator<SealedPieceIdentity, void> {
  let group = "";
  let foldedUpTo = 0;
  let held: SealedPieceIdentity | undefined;
  for await (const { name } of list) {
    const identity = sealedPieceOfName(name);
    if (identity === undefined) continue;
    if (identity.group !== group) {
      if (held !== undefined) yield held;
      [group, foldedUpTo, held] = [identity.group, 0, undefined];
    }
    // Those that begin with the same record lie behind each other, the one of the highest generation wherever it ends.
    if (held !== undefined && held.firstSeq === identity.firstSeq) {
      if (generationOf(identity) > generationOf(held)) held = identity;
      continue;
    }
    if (held !== undefined) {
      yield held;
      foldedUpTo = held.folded?.lastSeq ?? 0;
      held = undefined;
    }
    if (identity.firstSeq > foldedUpTo) held = identity;
  }
  if (held !== undefined) yield held;
}
