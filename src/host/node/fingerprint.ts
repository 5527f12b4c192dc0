/** Fingerprints by Node's own cryptography: one call per block, and a text of one byte per character as its cheapest answer. */
import { createHmac, hash } from "node:crypto";
import type { Fingerprints } from "../fingerprint.ts";

export const fingerprintBytes = 32;

export const plainFingerprints: Fingerprints = {
  put(bytes, start, end, target, at) {
    target.write(hash("sha256", bytes.subarray(start, end), "latin1"), at, fingerprintBytes, "latin1");
  },
};

export function keyedFingerprints(key: Buffer): Fingerprints {
  return {
    put(bytes, start, end, target, at) {
      createHmac("sha256", key).update(bytes.subarray(start, end)).digest().copy(target, at);
    },
  };
}
