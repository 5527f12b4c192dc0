/** What a store says of itself: the content of its document. */
import { RefuseError, StopError } from "#src/core/errors.ts";
import { storeKeyCopyCountMax } from "#src/core/store-limits.ts";
import { decodeDocument, encodeDocument } from "#src/host/document.ts";
import { encryptionTagBytes } from "#src/host/part-encryption.ts";

const kind = { format: "tidemark-store", version: 1 } as const;
export const storeIdBytes = 16;
export const keyCopyIdBytes = 8;
export const wrappingSaltBytes = 16;
/** The store's key, then the key of its fingerprints. */
export const storeKeysBytes = 64;
export const wrappedKeysBytes = storeKeysBytes + encryptionTagBytes;

/** The keys of a store, encrypted by a key that is kept elsewhere. All in hexadecimal digits. */
export interface KeyCopy {
  /** Chance; tells the copies of one store from each other. */
  readonly id: string;
  readonly salt: string;
  readonly wrapped: string;
}

export interface StoreDocument {
  /** Chance, in hexadecimal digits. */
  readonly id: string;
  readonly madeMicros: number;
  /** Copies of the same keys, each wrapped by another key. Undefined: the store is not encrypted. */
  readonly keyCopies: readonly KeyCopy[] | undefined;
}

export function encodeStoreDocument({ id, madeMicros, keyCopies }: StoreDocument): Buffer {
  const encryption = keyCopies === undefined ? { kind: "none" } : { kind: "aes-256-gcm", keyCopies };
  return encodeDocument(kind, { id, madeMicros, encryption });
}

/** Throws a `StopError` where it is damaged, a `RefuseError` where this program does not know it. `name`: for people. */
export function decodeStoreDocument(bytes: Buffer, name: string): StoreDocument {
  const content = decodeDocument(bytes, name, kind);
  const encryption = content.encryption as { readonly kind?: unknown; readonly keyCopies?: unknown } | undefined;
  const { id, madeMicros } = content;
  if (!isHexadecimal(id, storeIdBytes) || !Number.isSafeInteger(madeMicros)) throw damaged(name);
  const identity = { id, madeMicros: madeMicros as number };
  if (encryption?.kind === "none") return { ...identity, keyCopies: undefined };
  if (typeof encryption?.kind !== "string") throw damaged(name);
  if (encryption.kind !== "aes-256-gcm") {
    throw new RefuseError(
      `${name}: this program does not know the encryption ${JSON.stringify(encryption.kind)}: use the program that made the store`,
    );
  }
  if (!areKeyCopies(encryption.keyCopies)) throw damaged(name);
  return { ...identity, keyCopies: encryption.keyCopies };
}

function damaged(name: string): StopError {
  return new StopError(`${name} is damaged: it does not say what a store is`);
}

function areKeyCopies(value: unknown): value is readonly KeyCopy[] {
  return Array.isArray(value) && value.length >= 1 && value.length <= storeKeyCopyCountMax && value.every(isKeyCopy);
}

function isKeyCopy(value: unknown): value is KeyCopy {
  const { id, salt, wrapped } = (value ?? {}) as Record<string, unknown>;
  return (
    isHexadecimal(id, keyCopyIdBytes) &&
    isHexadecimal(salt, wrappingSaltBytes) &&
    isHexadecimal(wrapped, wrappedKeysBytes)
  );
}

function isHexadecimal(value: unknown, byteCount: number): value is string {
  return typeof value === "string" && value.length === byteCount * 2 && /^[0-9a-f]+$/.test(value);
}
