/**
 * Where payloads land: the open segment of a group, filled slot by slot. A slot, once given, is never given again, also
 * where the write into it failed; so a segment is begun anew after each start, and its number comes from a lease.
 *
 * Invariants: slot <= slotsMax <= slotsPerSegment; the pending sums are those of the slots before `slot`; the payloads that
 * wait to be written end there too.
 */
import { assert } from "#src/core/assert.ts";
import { RetryError } from "#src/core/errors.ts";
import { blockBytes, pendingSumCountMax, recordPayloadBytesMax } from "#src/core/limits.ts";
import { checksumBytes } from "#src/host/checksum.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { addressOf, holeAddress, slotsPerSegment } from "#src/records/address.ts";
import type { BatchRecord } from "#src/records/batch.ts";
import type { DirtyFiles } from "./dirty-files.ts";
import type { JournalFolder } from "./journal-folder.ts";
import { encodeSumsHeader, putSum, sumBytes, sumPosition, sumsHeaderBytes } from "./sums-format.ts";

/** Data journals differ by level; there is one so far. */
export const everyWriteLevel = 0;

export interface DataJournalParts {
  readonly files: Files;
  readonly folder: JournalFolder;
  readonly group: string;
  readonly dirty: DirtyFiles;
  /** A segment is full with so many; a largest record fits. */
  readonly slotsMax: number;
  /** A number that nobody else was ever given; undefined: none is ready. */
  readonly takeSegment: () => number | undefined;
  /** Nothing will be added to it any more; what was is written, and may not be durable yet. */
  readonly closed: (segment: number, slotCount: number) => void;
}

interface OpenSegment {
  readonly data: FileHandle;
  readonly sums: FileHandle;
}

export class DataJournal {
  readonly #parts: DataJournalParts;
  /** 0: none was begun since the start. */
  #segment = 0;
  #slot = 0;
  #open: OpenSegment | undefined;
  /** Of slots behind each other, up to `#slot`. They lie in memory that is the caller's. */
  #payloads: Buffer[] = [];
  #payloadSlot = 0;
  readonly #sums = Buffer.alloc(pendingSumCountMax * sumBytes);
  #sumCount = 0;
  #segmentCount = 0;

  constructor(parts: DataJournalParts) {
    const { slotsMax } = parts;
    assert(slotsMax <= slotsPerSegment && slotsMax * blockBytes >= recordPayloadBytesMax, "a largest record fits");
    this.#parts = parts;
  }

  /** Whether there is a segment that payloads were landed in, and that is not closed. */
  get hasOpenSegment(): boolean {
    return this.#segment > 0;
  }

  /** Segments begun since the start. */
  get segmentCount(): number {
    return this.#segmentCount;
  }

  get openFileCount(): number {
    return this.#open === undefined ? 0 : 2;
  }

  /**
   * Finds places for the payloads of a batch's records, which lie behind each other in `bytes`; answers an address for each
   * record. The bytes are needed until `writePayloads`.
   */
  land(bytes: Buffer, records: readonly BatchRecord[]): number[] {
    const addresses: number[] = [];
    for (let index = 0; index < records.length; ) {
      const next = this.#endOfRun(records, index);
      this.#landRun(bytes, records.slice(index, next), addresses);
      index = next;
    }
    return addresses;
  }

  /** The records from `from` on that the open segment has room for. A record is never split. */
  #endOfRun(records: readonly BatchRecord[], from: number): number {
    const first = records[from] as BatchRecord;
    if (first.payloadBytes > 0 && (this.#segment === 0 || !this.#hasRoomFor(first.payloadBytes))) this.#roll();
    let payloadBytes = 0;
    for (let index = from; index < records.length; index++) {
      payloadBytes += (records[index] as BatchRecord).payloadBytes;
      if (payloadBytes > 0 && (this.#segment === 0 || !this.#hasRoomFor(payloadBytes))) return index;
    }
    return records.length;
  }

  #hasRoomFor(payloadBytes: number): boolean {
    return payloadBytes <= (this.#parts.slotsMax - this.#slot) * blockBytes;
  }

  #landRun(bytes: Buffer, records: readonly BatchRecord[], addresses: number[]): void {
    const start = (records[0] as BatchRecord).payloadAt;
    const startSlot = this.#slot;
    for (const record of records) {
      const blockCount = record.payloadBytes / blockBytes;
      addresses.push(blockCount === 0 ? holeAddress : addressOf(this.#segment, this.#slot));
      for (let block = 0; block < blockCount; block++) this.#addSum(bytes, record, block);
    }
    const lengthBytes = (this.#slot - startSlot) * blockBytes;
    if (lengthBytes === 0) return;
    if (this.#payloads.length === 0) this.#payloadSlot = startSlot;
    this.#payloads.push(bytes.subarray(start, start + lengthBytes));
  }

  /** Writes all that was landed: as one, however many batches it came in. */
  writePayloads(): void {
    const payloads = this.#payloads;
    if (payloads.length === 0) return;
    this.#payloads = [];
    const { data } = this.#opened();
    this.#parts.dirty.written(data);
    data.writevNow(payloads, this.#payloadSlot * blockBytes);
  }

  #addSum(bytes: Buffer, record: BatchRecord, block: number): void {
    if (this.#sumCount === pendingSumCountMax) this.writeSums();
    const address = addressOf(this.#segment, this.#slot);
    const at = this.#sumCount * sumBytes;
    putSum(this.#sums, at, bytes, record.checksumsAt + block * checksumBytes, record.volume, address);
    this.#sumCount++;
    this.#slot++;
  }

  /** Before the metadata of what has landed is written. */
  writeSums(): void {
    if (this.#sumCount === 0) return;
    this.writePayloads();
    const { sums } = this.#opened();
    this.#parts.dirty.written(sums);
    sums.writeNow(this.#sums, 0, this.#sumCount * sumBytes, sumPosition(this.#slot - this.#sumCount));
    this.#sumCount = 0;
  }

  #roll(): void {
    const segment = this.#parts.takeSegment();
    if (segment === undefined) throw new RetryError("no number for the next data segment is ready");
    this.closeSegment();
    const { files, folder, group, dirty } = this.#parts;
    this.#segment = segment;
    this.#slot = 0;
    this.#segmentCount++;
    dirty.named(folder.segmentsPath);
    const data = files.create(folder.dataPath(segment));
    const sums = besideOf(data, () => files.create(folder.sumsPath(segment)));
    this.#open = { data, sums };
    dirty.written(data);
    dirty.written(sums);
    sums.writeNow(encodeSumsHeader({ group, segment, level: everyWriteLevel }), 0, sumsHeaderBytes, 0);
  }

  /** What lands next begins another one. */
  closeSegment(): void {
    if (this.#segment === 0) return;
    this.writeSums();
    this.release();
    const [segment, slotCount] = [this.#segment, this.#slot];
    this.#segment = 0;
    this.#slot = 0;
    this.#parts.closed(segment, slotCount);
  }

  #opened(): OpenSegment {
    assert(this.#segment > 0, "a segment was begun");
    const { files, folder } = this.#parts;
    if (this.#open === undefined) {
      const data = files.open(folder.dataPath(this.#segment), "readWrite");
      this.#open = { data, sums: besideOf(data, () => files.open(folder.sumsPath(this.#segment), "readWrite")) };
    }
    return this.#open;
  }

  /** Lets go of the files; they are opened again when they are needed. */
  release(): void {
    if (this.#open === undefined) return;
    this.#parts.dirty.retire(this.#open.data);
    this.#parts.dirty.retire(this.#open.sums);
    this.#open = undefined;
  }
}

/** Both files are open, or none. */
function besideOf(data: FileHandle, open: () => FileHandle): FileHandle {
  try {
    return open();
  } catch (error) {
    data.close();
    throw error;
  }
}
