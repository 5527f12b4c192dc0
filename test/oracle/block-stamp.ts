/**
 * What the tests write: every 4 KiB block says which volume and block it is, by which write it came, and has a checksum.
 * The rest is noise that follows from these, so that two stamps differ everywhere and a mixture of two is none.
 */
import { crc32 } from "node:zlib";

export const stampedBytes = 4096;
const magic = 0x504d5453; // "STMP"
const headBytes = 32;

export interface Stamp {
  readonly volume: number;
  readonly block: number;
  /** Counts the writes of a test. */
  readonly number: number;
}

/** A block as it was found: stamped, never written or trimmed, or something that no test wrote. */
export type FoundBlock = Stamp | "zeros" | "damaged";

const zeros = Buffer.alloc(stampedBytes);

export function putStamp(bytes: Buffer, at: number, { volume, block, number }: Stamp): void {
  bytes.writeUInt32LE(magic, at);
  bytes.writeUInt32LE(volume, at + 4);
  bytes.writeUIntLE(block, at + 8, 6);
  bytes.writeUInt16LE(0, at + 14);
  bytes.writeUIntLE(number, at + 16, 6);
  bytes.writeUInt16LE(0, at + 22);
  let noise = (Math.imul(number, 0x9e3779b1) ^ Math.imul(block + 1, 0x85ebca6b) ^ volume) | 1;
  for (let word = at + headBytes; word < at + stampedBytes; word += 4) {
    noise ^= noise << 13;
    noise ^= noise >>> 17;
    noise ^= noise << 5;
    bytes.writeInt32LE(noise, word);
  }
  bytes.writeBigUInt64LE(checksumOf(bytes, at), at + 24);
}

export function readStamp(bytes: Buffer, at: number): FoundBlock {
  if (bytes.readUInt32LE(at) !== magic) {
    return bytes.compare(zeros, 0, stampedBytes, at, at + stampedBytes) === 0 ? "zeros" : "damaged";
  }
  if (bytes.readBigUInt64LE(at + 24) !== checksumOf(bytes, at)) return "damaged";
  return {
    volume: bytes.readUInt32LE(at + 4),
    block: bytes.readUIntLE(at + 8, 6),
    number: bytes.readUIntLE(at + 16, 6),
  };
}

/** Of all but the eight bytes that it lies in. Head and noise apart, which makes 64 bits of two times 32. */
function checksumOf(bytes: Buffer, at: number): bigint {
  const head = crc32(bytes.subarray(at, at + 24));
  const rest = crc32(bytes.subarray(at + headBytes, at + stampedBytes), head);
  return (BigInt(head) << 32n) | BigInt(rest);
}
