/**
 * A data segment of the journal to which nothing is added any more, as it is read to be sealed. What the disk does not give is
 * no damage to be sealed: it may give it yet, and whoever seals removes what he has read.
 */
import { blockBytes } from "#src/core/limits.ts";
import { checksumBytes, hasChecksum } from "#src/host/checksum.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { addressOf, slotsPerSegment } from "#src/records/address.ts";
import type { ClosedSegment } from "#src/store/segment-seal.ts";
import { blockState, type SlotRun } from "#src/store/slot-run.ts";
import type { JournalFolder } from "./journal-folder.ts";
import { isSumFor, sumBytes, sumPosition, sumsHeaderBytes, sumVolume } from "./sums-format.ts";
import { checkSumsOwner } from "./sums-owner.ts";

export interface ClosedSegmentPlace {
  readonly files: Files;
  readonly folder: JournalFolder;
  readonly group: string;
  readonly segment: number;
}

export class ClosedSegmentFiles implements ClosedSegment {
  readonly segment: number;
  readonly slotCount: number;
  readonly #data: FileHandle | undefined;
  readonly #sums: FileHandle | undefined;
  #sumBytes = Buffer.alloc(0);

  /** Throws as `checkSumsOwner` does. What is missing was never durable, or is damage. */
  constructor({ files, folder, group, segment }: ClosedSegmentPlace) {
    this.segment = segment;
    this.#sums = opened(files, folder.sumsPath(segment));
    this.#data = opened(files, folder.dataPath(segment));
    try {
      if (this.#sums !== undefined) checkSumsOwner(this.#sums, { group, segment });
      const blockCount = Math.ceil((this.#data?.sizeBytesNow() ?? 0) / blockBytes);
      this.slotCount = Math.min(slotsPerSegment, Math.max(sumCountOf(this.#sums), blockCount));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  read(slot: number, count: number, run: SlotRun): void {
    if (this.#sumBytes.length < count * sumBytes) this.#sumBytes = Buffer.alloc(count * sumBytes);
    readOrZeros(this.#sums, this.#sumBytes, sumBytes, count, sumPosition(slot));
    readOrZeros(this.#data, run.blocks, blockBytes, count, slot * blockBytes);
    for (let index = 0; index < count; index++) {
      const at = index * sumBytes;
      const volume = sumVolume(this.#sumBytes, at);
      run.volumes[index] = volume;
      this.#sumBytes.copy(run.checksums, index * checksumBytes, at, at + checksumBytes);
      run.states[index] = this.#stateOf(run, index, volume, addressOf(this.segment, slot + index));
    }
  }

  /** By slot, whether there is a sum of it. Of the others nothing ever came to count, or a disk has lost what it was told to write. */
  slotsWithSum(): readonly boolean[] {
    const sums = Buffer.alloc(this.slotCount * sumBytes);
    readOrZeros(this.#sums, sums, sumBytes, this.slotCount, sumsHeaderBytes);
    return Array.from({ length: this.slotCount }, (_, slot) => isSumThere(sums, slot * sumBytes));
  }

  #stateOf(run: SlotRun, index: number, volume: number, address: number): number {
    const at = index * sumBytes;
    if (!isSumThere(this.#sumBytes, at)) return blockState.none;
    const start = index * blockBytes;
    const isSound =
      isSumFor(this.#sumBytes, at, volume, address) &&
      hasChecksum(run.blocks, start, start + blockBytes, this.#sumBytes, at);
    return isSound ? blockState.sound : blockState.damaged;
  }

  close(): void {
    this.#data?.close();
    this.#sums?.close();
  }
}

const zeroSum = Buffer.alloc(sumBytes);

function isSumThere(sums: Buffer, at: number): boolean {
  return sums.compare(zeroSum, 0, sumBytes, at, at + sumBytes) !== 0;
}

function opened(files: Files, path: string): FileHandle | undefined {
  return files.exists(path) ? files.open(path, "read") : undefined;
}

/** An entry that is cut off counts: it is a slot that was given. */
function sumCountOf(sums: FileHandle | undefined): number {
  return Math.max(0, Math.ceil(((sums?.sizeBytesNow() ?? 0) - sumsHeaderBytes) / sumBytes));
}

/** 0 also where it has no sums: then nothing is known of its slots. */
export function closedSlotCount(files: Files, folder: JournalFolder, segment: number): number {
  const path = folder.sumsPath(segment);
  if (!files.exists(path)) return 0;
  const sums = files.open(path, "read");
  try {
    return sumCountOf(sums);
  } finally {
    sums.close();
  }
}

/** What the file has not is zeros: never sound, unless zeros were written there. */
function readOrZeros(
  handle: FileHandle | undefined,
  target: Buffer,
  unitBytes: number,
  count: number,
  position: number,
): void {
  target.fill(0, 0, count * unitBytes);
  handle?.readNow(target, 0, count * unitBytes, position);
}
