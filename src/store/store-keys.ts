/**
 * The keys of an encrypted store. They are made with the store and stay for its life; what changes is by which key they
 * are wrapped.
 *
 *     wrapping key of this copy   HKDF-SHA256 of the wrapping key, the copy's salt, and the words "tidemark store key"
 *     wrapped                     AES-256-GCM of the 64 bytes of keys, nonce of zeros; the tag also vouches for the ids of
 *                                 the store and the copy
 *
 * A salt is chance and used once, so no nonce is used twice with one key.
 */
import { assert } from "#src/core/assert.ts";
import { RefuseError } from "#src/core/errors.ts";
import { encryptionKeyBytes, openPartEncryption, type PartEncryption } from "#src/host/part-encryption.ts";
import type { Randomness } from "#src/host/randomness.ts";
import {
  type KeyCopy,
  keyCopyIdBytes,
  type StoreDocument,
  storeKeysBytes,
  wrappedKeysBytes,
  wrappingSaltBytes,
} from "./store-document.ts";
import type { WrappingKey } from "./wrapping-key.ts";

const purpose = Buffer.from("tidemark store key");
const nonce = Buffer.alloc(12);

/** Private fields, so that no log and no error shows them by mistake. */
export class StoreKeys {
  readonly #bytes: Buffer;

  /** The store's key, then that of its fingerprints. */
  constructor(bytes: Buffer) {
    assert(bytes.length === storeKeysBytes, "a store has two keys");
    this.#bytes = bytes;
  }

  static made(randomness: Randomness): StoreKeys {
    return new StoreKeys(randomness.bytes(storeKeysBytes));
  }

  /** What keys of objects are derived from. */
  get storeKey(): Buffer {
    return this.#bytes.subarray(0, encryptionKeyBytes);
  }

  get fingerprintKey(): Buffer {
    return this.#bytes.subarray(encryptionKeyBytes);
  }

  /** Another copy of them for the store of this id. */
  wrapped(storeId: string, wrappingKey: WrappingKey, randomness: Randomness): KeyCopy {
    const id = randomness.bytes(keyCopyIdBytes).toString("hex");
    const salt = randomness.bytes(wrappingSaltBytes).toString("hex");
    const bytes = Buffer.alloc(wrappedKeysBytes);
    this.#bytes.copy(bytes);
    encryptionOf(wrappingKey, salt).encrypt(nonce, identityOf(storeId, id), bytes, 0, storeKeysBytes);
    return { id, salt, wrapped: bytes.toString("hex") };
  }

  /** Undefined: it was wrapped by another key. */
  static unwrapped(storeId: string, copy: KeyCopy, wrappingKey: WrappingKey): StoreKeys | undefined {
    const bytes = Buffer.from(copy.wrapped, "hex");
    const encryption = encryptionOf(wrappingKey, copy.salt);
    const plain = encryption.decrypt(nonce, identityOf(storeId, copy.id), bytes, 0, storeKeysBytes);
    return plain === undefined ? undefined : new StoreKeys(plain);
  }
}

export interface OpenedKeys {
  readonly keys: StoreKeys;
  /** The copy that the wrapping key is for. */
  readonly copyId: string;
}

/** Undefined: the store is not encrypted. Throws a `RefuseError` where the key is missing, too much, or the wrong one. */
export function openKeys(document: StoreDocument, wrappingKey: WrappingKey | undefined): OpenedKeys | undefined {
  const { id, keyCopies } = document;
  if (keyCopies === undefined) {
    if (wrappingKey === undefined) return undefined;
    throw new RefuseError(
      "the store is not encrypted: take store.keyFile and store.keyCommand away, or begin another store with them",
    );
  }
  if (wrappingKey === undefined) {
    throw new RefuseError(
      "the store is encrypted: set store.keyFile to the file that holds its key, or store.keyCommand to what prints it",
    );
  }
  const opened = openKeyCopies(id, keyCopies, wrappingKey);
  if (opened !== undefined) return opened;
  throw new RefuseError(
    `the store does not open with this key: ${wrappingKey.from} holds that of another store, or an old one`,
  );
}

/** Undefined: none of them is for this key. */
export function openKeyCopies(
  storeId: string,
  keyCopies: readonly KeyCopy[],
  wrappingKey: WrappingKey,
): OpenedKeys | undefined {
  for (const copy of keyCopies) {
    const keys = StoreKeys.unwrapped(storeId, copy, wrappingKey);
    if (keys !== undefined) return { keys, copyId: copy.id };
  }
  return undefined;
}

function encryptionOf(wrappingKey: WrappingKey, salt: string): PartEncryption {
  return openPartEncryption(wrappingKey.bytes, Buffer.from(salt, "hex"), purpose);
}

function identityOf(storeId: string, copyId: string): Buffer {
  return Buffer.from(storeId + copyId, "hex");
}
