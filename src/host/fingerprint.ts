/** What a block is known by wherever it lies: SHA-256 of its bytes, in an encrypted store a keyed one. */
export { fingerprintBytes, keyedFingerprints, plainFingerprints } from "./node/fingerprint.ts";

export interface Fingerprints {
  /** Writes the fingerprint of `bytes` from `start` to `end` into `target`. */
  put(bytes: Buffer, start: number, end: number, target: Buffer, at: number): void;
}
