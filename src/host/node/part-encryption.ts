/** Encryption of parts by Node's own. */
import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import { assert } from "#src/core/assert.ts";
import type { PartEncryption } from "../part-encryption.ts";

export const encryptionKeyBytes = 32;
export const encryptionTagBytes = 16;

const cipherName = "aes-256-gcm";

/** HKDF with SHA-256: `salt` is the object's chance, `purpose` says what the key is for. */
export function openPartEncryption(key: Buffer, salt: Buffer, purpose: Buffer): PartEncryption {
  assert(key.length === encryptionKeyBytes, "a key has 256 bits");
  const objectKey = Buffer.from(hkdfSync("sha256", key, salt, purpose, encryptionKeyBytes));
  return {
    encrypt: (nonce, associated, bytes, start, end) => {
      const cipher = createCipheriv(cipherName, objectKey, nonce, { authTagLength: encryptionTagBytes });
      cipher.setAAD(associated);
      cipher.update(bytes.subarray(start, end)).copy(bytes, start);
      // Nothing more comes of a stream cipher; without this there is no tag.
      cipher.final();
      cipher.getAuthTag().copy(bytes, end);
    },
    decrypt: (nonce, associated, bytes, start, end) => {
      const decipher = createDecipheriv(cipherName, objectKey, nonce, { authTagLength: encryptionTagBytes });
      decipher.setAAD(associated);
      decipher.setAuthTag(bytes.subarray(end, end + encryptionTagBytes));
      const plain = decipher.update(bytes.subarray(start, end));
      try {
        decipher.final();
      } catch {
        return undefined;
      }
      return plain;
    },
  };
}
