/** By which keys the keys of a store are wrapped: told, and changed by whoever has the store open to write. */
import { RefuseError } from "#src/core/errors.ts";
import type { Randomness } from "#src/host/randomness.ts";
import type { Objects } from "#src/store/objects.ts";
import { readStoreDocument } from "#src/store/store-document-copies.ts";
import { addKey, removeKey } from "#src/store/store-key-change.ts";
import { openKeys } from "#src/store/store-keys.ts";
import type { WrappingKey } from "#src/store/wrapping-key.ts";

/** A copy of the store's keys. */
export interface KeyFacts {
  readonly id: string;
  /** It is opened by the key that the configuration names. */
  readonly isUsed: boolean;
}

export interface KeyOrderParts {
  readonly objects: Objects;
  readonly randomness: Randomness;
  /** The one that the configuration names. */
  readonly wrappingKey: WrappingKey | undefined;
}

/** None: the store is not encrypted. */
export async function listKeys({ objects, wrappingKey }: KeyOrderParts): Promise<readonly KeyFacts[]> {
  const document = await readStoreDocument(objects);
  const used = document === undefined ? undefined : openKeys(document, wrappingKey)?.copyId;
  return (document?.keyCopies ?? []).map(({ id }) => ({ id, isUsed: id === used }));
}

/** Answers all, and which is the new one; one that the store opens with already is none. */
export async function addStoreKey(parts: KeyOrderParts, next: WrappingKey): Promise<string> {
  return (await addKey(parts.objects, parts.randomness, current(parts), next)).copyId;
}

export async function removeStoreKey(parts: KeyOrderParts, copyId: string): Promise<void> {
  await removeKey(parts.objects, current(parts), copyId);
}

function current({ wrappingKey }: KeyOrderParts): WrappingKey {
  if (wrappingKey === undefined)
    throw new RefuseError("the store is not encrypted, and what it holds cannot be any more");
  return wrappingKey;
}
