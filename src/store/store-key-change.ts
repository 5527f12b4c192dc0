/**
 * Changes by which keys the keys of a store are wrapped. What is in the store stays as it is: only its document changes.
 * Whoever changes something shows a key that opens the store, and it goes on opening it unless it is replaced.
 */
import { assert } from "#src/core/assert.ts";
import { RefuseError } from "#src/core/errors.ts";
import { storeKeyCopyCountMax } from "#src/core/store-limits.ts";
import type { Randomness } from "#src/host/randomness.ts";
import type { Objects } from "./objects.ts";
import type { KeyCopy, StoreDocument } from "./store-document.ts";
import {
  changedByOthers,
  changeStoreDocument,
  type FoundStoreDocument,
  findStoreDocument,
} from "./store-document-copies.ts";
import { type OpenedKeys, openKeyCopies, openKeys } from "./store-keys.ts";
import type { WrappingKey } from "./wrapping-key.ts";

export interface KeyChange {
  /** Of all copies that there are now. */
  readonly copyIds: readonly string[];
  /** The one that the key opens which was given last. */
  readonly copyId: string;
}

/** The keys' copies as they are to be. */
interface Changed {
  readonly keyCopies: readonly KeyCopy[];
  readonly copyId: string;
}

/**
 * From now on the store opens with the next key, and with the current one no more. May be asked for again by whoever does
 * not know whether it was done.
 */
export async function rotateKey(
  objects: Objects,
  randomness: Randomness,
  current: WrappingKey,
  next: WrappingKey,
): Promise<KeyChange> {
  const found = await existingDocument(objects);
  const { id, keyCopies = [] } = found.document;
  const known = openKeyCopies(id, keyCopies, next);
  if (known !== undefined && openKeyCopies(id, keyCopies, current) === undefined) return told(keyCopies, known.copyId);
  return await change(objects, found, current, (document, opened) => {
    const added = withKey(document, opened, next, randomness);
    if (added.copyId === opened.copyId)
      throw new RefuseError("the new key is the one that the store has: make another");
    return { ...added, keyCopies: without(added.keyCopies, opened.copyId) };
  });
}

/** From now on the store opens with the next key too: for one that is kept in a safe, or while a new one is handed out. */
export async function addKey(
  objects: Objects,
  randomness: Randomness,
  current: WrappingKey,
  next: WrappingKey,
): Promise<KeyChange> {
  const found = await existingDocument(objects);
  return await change(objects, found, current, (document, opened) => withKey(document, opened, next, randomness));
}

/** From now on the store does not open any more with the key of this copy. */
export async function removeKey(objects: Objects, current: WrappingKey, copyId: string): Promise<KeyChange> {
  const found = await existingDocument(objects);
  return await change(objects, found, current, ({ keyCopies = [] }, opened) => {
    if (copyId === opened.copyId) {
      throw new RefuseError(`the copy ${copyId} is of the key that was given: it is replaced by another, not removed`);
    }
    const left = without(keyCopies, copyId);
    if (left.length === keyCopies.length) throw new RefuseError(`the store's keys have no copy ${copyId}`);
    return { keyCopies: left, copyId: opened.copyId };
  });
}

async function existingDocument(objects: Objects): Promise<FoundStoreDocument> {
  const found = await findStoreDocument(objects);
  if (found === undefined) throw new RefuseError("there is no store yet");
  return found;
}

async function change(
  objects: Objects,
  { document, version }: FoundStoreDocument,
  current: WrappingKey,
  decide: (document: StoreDocument, opened: OpenedKeys) => Changed,
): Promise<KeyChange> {
  const opened = openKeys(document, current);
  assert(opened !== undefined, "whoever shows a key to a store without any is refused");
  const { keyCopies, copyId } = decide(document, opened);
  if ((await changeStoreDocument(objects, { ...document, keyCopies }, version)) === undefined) throw changedByOthers();
  return told(keyCopies, copyId);
}

function told(keyCopies: readonly KeyCopy[], copyId: string): KeyChange {
  return { copyIds: keyCopies.map(({ id }) => id), copyId };
}

function withKey(
  { id, keyCopies = [] }: StoreDocument,
  { keys }: OpenedKeys,
  next: WrappingKey,
  randomness: Randomness,
): Changed {
  const known = openKeyCopies(id, keyCopies, next);
  if (known !== undefined) return { keyCopies, copyId: known.copyId };
  if (keyCopies.length >= storeKeyCopyCountMax) {
    throw new RefuseError(`there are ${storeKeyCopyCountMax} copies of the store's keys already: remove one first`);
  }
  const copy = keys.wrapped(id, next, randomness);
  return { keyCopies: [...keyCopies, copy], copyId: copy.id };
}

function without(keyCopies: readonly KeyCopy[], copyId: string): readonly KeyCopy[] {
  return keyCopies.filter(({ id }) => id !== copyId);
}
