/**
 * The part encryption port: AES-256-GCM for the parts of one object, under a key that is derived for this object alone, so
 * that a nonce that says where in the object a part lies is never used twice.
 */
export interface PartEncryption {
  /**
   * Puts what `bytes` from `start` to `end` becomes in its place, and the tag behind it. The tag vouches for `associated` too.
   */
  encrypt(nonce: Buffer, associated: Buffer, bytes: Buffer, start: number, end: number): void;
  /** The other way round, the tag lying from `end` on. Undefined: it was not encrypted so. */
  decrypt(nonce: Buffer, associated: Buffer, bytes: Buffer, start: number, end: number): Buffer | undefined;
}

export { encryptionKeyBytes, encryptionTagBytes, openPartEncryption } from "./node/part-encryption.ts";
