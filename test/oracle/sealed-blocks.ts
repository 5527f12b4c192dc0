/** The blocks of a store's sealed segments, read by address as docs/formats.md says, with nothing of the product's code. */
import { createDecipheriv, hkdfSync } from "node:crypto";
import fs from "node:fs";
import zlib from "node:zlib";
import { isSummed } from "./byte-sum.ts";
import { filesUnder, le64 } from "./log-file-reader.ts";
import { blockBytes } from "./log-records.ts";

const slotsPerSegment = 65_536;
const slotsPerPage = 512;
const slotBytes = 24;
const endBytes = 128;
const kinds = { zeros: 1, kept: 2, forward: 3 };

/** Where objects lie: a folder, or what a test has instead. */
export interface StoredObjects {
  paths(): readonly string[];
  read(path: string): Buffer;
}

export function objectsUnder(folder: string): StoredObjects {
  return { paths: () => filesUnder(folder), read: (path) => fs.readFileSync(path) };
}

interface Slot {
  readonly kind: number;
  readonly volume: number;
  readonly placeInFrame: number;
  readonly target: Buffer;
  readonly checksum: Buffer;
}

export class SealedBlocks {
  readonly #stored: StoredObjects;
  readonly #storeKey: Buffer | undefined;
  /** Of each segment the newest generation's file. */
  readonly #paths = new Map<number, string>();
  readonly #objects = new Map<string, Buffer>();
  readonly #parts = new Map<string, Buffer>();

  /** `storeKey`: of a store that is encrypted. */
  constructor(stored: StoredObjects, storeKey?: Buffer) {
    this.#stored = stored;
    this.#storeKey = storeKey;
    for (const path of [...stored.paths()].sort()) {
      const match = /\/segments\/(\d{12})\.\d{4}$/.exec(path);
      if (match !== null) this.#paths.set(Number(match[1]), path);
    }
  }

  has(segment: number): boolean {
    return this.#paths.has(segment);
  }

  /** Throws unless the block is there, whole, and written for this volume. */
  read(volume: number, address: number): Buffer {
    const slot = this.#slot(address);
    if (slot.volume !== volume) throw new Error(`address ${address} is of volume ${slot.volume}, not ${volume}`);
    const block = this.#blockOf(slot, address);
    if (!isSummed(block, 0, blockBytes, slot.checksum, 0)) throw new Error(`address ${address}: the checksum is wrong`);
    return block;
  }

  #blockOf(slot: Slot, address: number): Buffer {
    if (slot.kind === kinds.zeros) return Buffer.alloc(blockBytes);
    if (slot.kind === kinds.kept) return this.#kept(slot, address);
    if (slot.kind !== kinds.forward) throw new Error(`address ${address}: its slot is of kind ${slot.kind}`);
    const target = le64(slot.target, 0);
    const kept = this.#slot(target);
    if (kept.kind !== kinds.kept) throw new Error(`address ${address} leads to ${target}, which keeps no block`);
    return this.#kept(kept, target);
  }

  #kept(slot: Slot, address: number): Buffer {
    const frame = this.#part(address, slot.target.readUInt32LE(0), slot.target.readUInt32LE(4), 1);
    return frame.subarray(slot.placeInFrame * blockBytes, (slot.placeInFrame + 1) * blockBytes);
  }

  #slot(address: number): Slot {
    const object = this.#object(address);
    const footer = object.subarray(-endBytes);
    if (footer.toString("latin1", 0, 4) !== "TMOE" || !isSummed(footer, 0, 120, footer, 120)) {
      throw new Error(`the object of address ${address} has no sound footer`);
    }
    const table = this.#part(address, le64(footer, 16), footer.readUInt32LE(24), 4);
    const slot = address % slotsPerSegment;
    const entry = Math.floor(slot / slotsPerPage) * 16;
    const page = this.#part(address, table.readUInt32LE(entry), table.readUInt32LE(entry + 4), 2);
    const at = (slot % slotsPerPage) * slotBytes;
    const bytes = page.subarray(at, at + slotBytes);
    return {
      checksum: bytes.subarray(0, 8),
      volume: bytes.readUInt32LE(8),
      kind: bytes.readUInt8(12),
      placeInFrame: bytes.readUInt8(13),
      target: bytes.subarray(16, 24),
    };
  }

  #object(address: number): Buffer {
    const path = this.#paths.get(Math.floor(address / slotsPerSegment));
    if (path === undefined) throw new Error(`address ${address} is in no sealed segment`);
    const object = this.#objects.get(path) ?? this.#stored.read(path);
    this.#objects.set(path, object);
    return object;
  }

  #part(address: number, offset: number, storedBytes: number, type: number): Buffer {
    const key = `${Math.floor(address / slotsPerSegment)}/${offset}/${storedBytes}/${type}`;
    const part = this.#parts.get(key) ?? this.#partAt(this.#object(address), offset, storedBytes, type);
    this.#parts.set(key, part);
    return part;
  }

  #partAt(object: Buffer, offset: number, storedBytes: number, type: number): Buffer {
    const part = object.subarray(offset, offset + storedBytes);
    if (part.length !== storedBytes || !isSummed(part, 8, storedBytes, part, 0)) {
      throw new Error(`the part at ${offset} has a wrong checksum`);
    }
    if (part.readUInt8(8) !== type) {
      throw new Error(`the part at ${offset} is of type ${part.readUInt8(8)}, not ${type}`);
    }
    const isEncrypted = (object.readUInt8(7) & 1) === 1;
    if (isEncrypted !== (this.#storeKey !== undefined)) throw new Error("an object is encrypted as its store is not");
    const bytes = this.#storeKey === undefined ? part.subarray(32) : decrypted(object, offset, part, this.#storeKey);
    return part.readUInt8(9) === 1 ? zlib.zstdDecompressSync(bytes) : bytes;
  }
}

function decrypted(object: Buffer, offset: number, part: Buffer, storeKey: Buffer): Buffer {
  const info = Buffer.concat([Buffer.from("tidemark object"), object.subarray(0, 40)]);
  const key = Buffer.from(hkdfSync("sha256", storeKey, object.subarray(40, 56), info, 32));
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64LE(BigInt(offset));
  const decipher = createDecipheriv("aes-256-gcm", key, nonce);
  decipher.setAAD(part.subarray(8, 32));
  decipher.setAuthTag(part.subarray(-16));
  return Buffer.concat([decipher.update(part.subarray(32, -16)), decipher.final()]);
}
