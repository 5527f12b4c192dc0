/** The last of a group's sealed pieces: what the store has of the group's journal ends there. */
import type { ObjectName, ReadableObjects } from "#src/store/objects.ts";
import { SealedPiece } from "./sealed-piece.ts";
import { sealedPieceOfName, sealedPiecePrefix } from "./sealed-piece-format.ts";

/** Undefined: it has none. `key` is the store's. Throws as `SealedPiece.open` does. */
export async function newestPiece(
  objects: ReadableObjects,
  group: string,
  key: Buffer | undefined,
): Promise<SealedPiece | undefined> {
  let newest: ObjectName | undefined;
  for await (const { name } of objects.list(sealedPiecePrefix(group))) newest = name;
  const identity = newest === undefined ? undefined : sealedPieceOfName(newest);
  return identity === undefined ? undefined : await SealedPiece.open(objects, identity, key);
}
