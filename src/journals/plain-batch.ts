/**
 * A batch of the metadata journal whose records say what blocks hold, or were flushes, and nothing else: nearly all are. Its entries are
 * checked as any others, and what they say is laid out in columns that are used again. Nothing is made of each: whoever follows a
 * journal goes through millions.
 */
import { assert } from "#src/core/assert.ts";
import { batchHeaderBytes, batchRecordCountMax, levelSecondsMax } from "#src/core/limits.ts";
import { slotsPerSegment } from "#src/records/address.ts";
import type { BatchHeader } from "#src/records/batch.ts";
import { isOfBlocks, recordType } from "#src/records/record.ts";
import { entryAt, isFittingPlace, metadataEntryBytes } from "./metadata-entry.ts";

const two32 = 2 ** 32;
const countMax = Number.MAX_SAFE_INTEGER;
/** The high half of a number that is counted with is less. */
const highEnd = 2 ** 21;

/** What it holds is there until the piece is read on. */
export class PlainBatch {
  readonly volumes = new Float64Array(batchRecordCountMax);
  readonly startBlocks = new Float64Array(batchRecordCountMax);
  /** 0: it says nothing of blocks. */
  readonly blockCounts = new Float64Array(batchRecordCountMax);
  readonly addresses = new Float64Array(batchRecordCountMax);
  readonly timesMicros = new Float64Array(batchRecordCountMax);
  count = 0;
  firstSeq = 0;
  /** All are of the first one's volume, and say something of blocks. */
  isOfOneVolume = true;
  #entriesAt = 0;

  /** Of a batch whose heads were found sound. False: it is another one, or what it says does not add up. */
  read(view: DataView, start: number, header: BatchHeader): boolean {
    const { recordCount, firstSeq, epoch, payloadBytes, headsBytes } = header;
    if (payloadBytes !== 0 || headsBytes !== recordCount * metadataEntryBytes) return false;
    this.#entriesAt = start + batchHeaderBytes;
    this.count = recordCount;
    this.firstSeq = firstSeq;
    this.isOfOneVolume = true;
    for (let index = 0; index < recordCount; index++) if (!this.#readEntry(view, index, epoch)) return false;
    return true;
  }

  /** As `getMetadataRecord` and `metadataRecords` have it. */
  #readEntry(view: DataView, index: number, epoch: number): boolean {
    const at = this.placeOf(index);
    const type = view.getUint32(at, true);
    const hasBlocks = isOfBlocks(type);
    // The type is one byte: behind it are what is reserved, and the length of an extra part.
    if (!hasBlocks && type !== recordType.flush) return false;
    const isOwn =
      view.getUint32(at + entryAt.epoch, true) === epoch && view.getUint32(at + entryAt.reservedEnd, true) === 0;
    const seq = view.getUint32(at + entryAt.seq, true) + view.getUint32(at + entryAt.seq + 4, true) * two32;
    if (!isOwn || seq !== this.firstSeq + index || view.getUint32(at + entryAt.level, true) > levelSecondsMax)
      return false;
    const timeHigh = view.getUint32(at + entryAt.time + 4, true);
    const addressHigh = view.getUint32(at + entryAt.address + 4, true);
    const ordinalHigh = view.getUint32(at + entryAt.ordinal + 4, true);
    if (timeHigh >= highEnd || addressHigh >= highEnd || ordinalHigh >= highEnd) return false;
    const addressLow = view.getUint32(at + entryAt.address, true);
    const address = addressLow + addressHigh * two32;
    const blockCount = view.getUint32(at + entryAt.blockCount, true);
    const startBlock =
      view.getUint32(at + entryAt.startBlock, true) + view.getUint32(at + entryAt.startBlock + 4, true) * two32;
    const isFitting = isFittingPlace(type, blockCount, address, addressLow % slotsPerSegment);
    if (!isFitting || startBlock + blockCount > countMax) return false;
    const volume = view.getUint32(at + entryAt.volume, true);
    this.volumes[index] = volume;
    this.startBlocks[index] = startBlock;
    this.blockCounts[index] = hasBlocks ? blockCount : 0;
    this.addresses[index] = address;
    this.timesMicros[index] = view.getUint32(at + entryAt.time, true) + timeHigh * two32;
    if (volume !== this.volumes[0] || !hasBlocks || blockCount === 0) this.isOfOneVolume = false;
    return true;
  }

  /** Of the entry, in the piece's bytes. */
  placeOf(index: number): number {
    return this.#entriesAt + index * metadataEntryBytes;
  }
}

assert(entryAt.type === 0 && entryAt.extraBytes === 2, "an entry without an extra part begins with its type alone");
assert(two32 % slotsPerSegment === 0, "a slot is told by the lower half of an address");
