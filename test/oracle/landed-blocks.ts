/**
 * The blocks of a remote's data segments, read by address and checked against the sums beside them (docs/formats.md), or
 * where they are sealed out of the store's objects.
 */
import fs from "node:fs";
import { isSummed } from "./byte-sum.ts";
import { filesUnder, le64 } from "./log-file-reader.ts";
import { blockBytes } from "./log-records.ts";
import { objectsUnder, SealedBlocks } from "./sealed-blocks.ts";

const slotsPerSegment = 65_536;
const sumsHeaderBytes = 512;
const sumBytes = 16;

interface Segment {
  readonly data: number;
  readonly sums: Buffer;
}

export class LandedBlocks implements Disposable {
  readonly #segments = new Map<string, Segment>();
  readonly #group: string;
  readonly #sealed: SealedBlocks;

  constructor(folder: string, group: string) {
    this.#group = group;
    this.#sealed = new SealedBlocks(objectsUnder(folder));
    for (const path of filesUnder(folder)) {
      if (path.endsWith(".sums")) this.#open(path);
    }
  }

  #open(path: string): void {
    const sums = fs.readFileSync(path);
    // Begun, and never given to a record.
    if (sums.length < sumsHeaderBytes || sums.toString("latin1", 0, 4) !== "TMDS") return;
    if (!isSummed(sums, 0, 56, sums, 56)) throw new Error(`${path}: the header's checksum is wrong`);
    if (sums.toString("hex", 8, 24) !== this.#group) return;
    const number = le64(sums, 24);
    // A sealed one is being removed, one file after the other.
    if (this.#sealed.has(number)) return;
    const data = fs.openSync(path.replace(/\.sums$/, ".data"), "r");
    this.#segments.set(String(number), { data, sums });
  }

  /** Throws unless the block is there, whole, and written for this volume. */
  read(volume: number, address: number): Buffer {
    const number = Math.floor(address / slotsPerSegment);
    if (this.#sealed.has(number)) return this.#sealed.read(volume, address);
    const slot = address % slotsPerSegment;
    const segment = this.#segments.get(String(number));
    if (segment === undefined) throw new Error(`address ${address}: there is no segment ${number}`);
    const sumAt = sumsHeaderBytes + slot * sumBytes;
    const block = Buffer.alloc(blockBytes);
    const count = fs.readSync(segment.data, block, 0, blockBytes, slot * blockBytes);
    if (count !== blockBytes || !isSummed(block, 0, blockBytes, segment.sums, sumAt)) {
      throw new Error(`slot ${slot} of segment ${number}: block and checksum do not fit`);
    }
    const owner = segment.sums.readUInt32LE(sumAt + 8);
    if (owner !== volume) throw new Error(`slot ${slot} of segment ${number} is of volume ${owner}, not ${volume}`);
    return block;
  }

  [Symbol.dispose](): void {
    for (const { data } of this.#segments.values()) fs.closeSync(data);
  }
}
