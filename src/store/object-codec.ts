/** How the parts of one object are made and read, by its header. */
import { openPartEncryption } from "#src/host/part-encryption.ts";
import { headerIdentityBytes, type ObjectHeader } from "./object-format.ts";
import { PartCodec } from "./part.ts";

const purpose = "tidemark object";

/**
 * `headerBytes` is the header as it lies in the object. The key for its parts depends on what the header says it is, so
 * that nobody without the store's key can pass one object for another.
 */
export function partCodecOf(header: ObjectHeader, headerBytes: Buffer, key: Buffer | undefined): PartCodec {
  if (key === undefined) return new PartCodec(header.salt, undefined);
  const identity = Buffer.concat([Buffer.from(purpose), headerBytes.subarray(0, headerIdentityBytes)]);
  return new PartCodec(header.salt, openPartEncryption(key, header.salt, identity));
}
