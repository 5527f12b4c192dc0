/** The last of a group's sealed pieces: what the store has of the group's journal ends there. */
import type { ReadableObjects } from "#src/store/objects.ts";
import { piecesInForce } from "./pieces-in-force.ts";
import { SealedPiece } from "./sealed-piece.ts";

/** Undefined: it has none. `key` is the store's. Throws as `SealedPiece.open` does. */
export async function newestPiece(
  objects: ReadableObjects,
  group: string,
  key: Buffer | undefined,
): Promise<SealedPiece | undefined> {
  const identity = (await piecesInForce(objects, group)).at(-1);
  return identity === undefined ? undefined : await SealedPiece.open(objects, identity, key);
}
