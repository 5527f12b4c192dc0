/**
 * XXH3 with 64 bits: the checksum of everything that Tidemark writes down or sends. It finds accidents, not intent;
 * where intent matters there are keys. A checksum lies in memory as eight bytes, little-endian.
 */
export { checksumBytes, hasChecksum, putChecksum } from "./node/xxh3.ts";
