/** Reads blocks by their addresses, and gives none that is not the one that was written there. */
import { StopError } from "#src/core/errors.ts";
import { blockBytes, readerSegmentCountMax } from "#src/core/limits.ts";
import { hasChecksum } from "#src/host/checksum.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { segmentOf, slotOf } from "#src/records/address.ts";
import type { JournalFolder } from "./journal-folder.ts";
import { isSumFor, sumBytes, sumPosition } from "./sums-format.ts";
import { checkSumsOwner } from "./sums-owner.ts";

/** A run of blocks of one record. */
export interface BlockRun {
  readonly volume: number;
  readonly startBlock: number;
  readonly blockCount: number;
  readonly address: number;
}

/** Some of the blocks asked for are not what was written; the others of the run are. */
export class DamagedBlocksError extends StopError {
  override name = "DamagedBlocksError";
  readonly blocks: readonly number[];

  /** `blocks`: of the volume. */
  constructor(run: BlockRun, blocks: readonly number[]) {
    super(`volume ${run.volume}: damaged blocks ${blocks.join(", ")}, kept from address ${run.address} on`);
    this.blocks = blocks;
  }
}

interface OpenSegment {
  readonly data: FileHandle;
  readonly sums: FileHandle;
}

export class SegmentReader {
  readonly #files: Files;
  readonly #folder: JournalFolder;
  readonly #group: string;
  /** The one used last is last. */
  readonly #open = new Map<number, OpenSegment>();

  constructor(files: Files, folder: JournalFolder, group: string) {
    this.#files = files;
    this.#folder = folder;
    this.#group = group;
  }

  /** Reads the run to `start` in `target`. Throws a `DamagedBlocksError` naming the blocks that are damaged or gone. */
  read(run: BlockRun, target: Buffer, start: number): void {
    const damaged = this.#readChecked(run, target, start);
    if (damaged.length > 0) throw new DamagedBlocksError(run, damaged);
  }

  #readChecked(run: BlockRun, target: Buffer, start: number): number[] {
    const sums = Buffer.alloc(run.blockCount * sumBytes);
    const segment = this.#segment(segmentOf(run.address));
    const slot = slotOf(run.address);
    const damaged: number[] = [];
    const isWhole = segment !== undefined && readRun(segment, target, start, sums, slot, run.blockCount);
    for (let block = 0; block < run.blockCount; block++) {
      const at = start + block * blockBytes;
      const isRead = isWhole || (segment !== undefined && readBlock(segment, target, at, sums, block, slot + block));
      const isSound =
        isRead &&
        isSumFor(sums, block * sumBytes, run.volume, run.address + block) &&
        hasChecksum(target, at, at + blockBytes, sums, block * sumBytes);
      if (!isSound) damaged.push(run.startBlock + block);
    }
    return damaged;
  }

  /** Undefined: one of its files is not there, or its sums are another segment's. A `RefuseError`: a later version's. */
  #segment(segment: number): OpenSegment | undefined {
    const known = this.#open.get(segment);
    this.#open.delete(segment);
    const open = known ?? this.#opened(segment);
    if (open === undefined) return undefined;
    this.#open.set(segment, open);
    if (this.#open.size > readerSegmentCountMax) this.#closeOldest();
    return open;
  }

  #opened(segment: number): OpenSegment | undefined {
    const dataPath = this.#folder.dataPath(segment);
    const sumsPath = this.#folder.sumsPath(segment);
    if (!this.#files.exists(dataPath) || !this.#files.exists(sumsPath)) return undefined;
    const sums = this.#files.open(sumsPath, "read");
    try {
      if (this.#isOwn(sums, segment)) return { sums, data: this.#files.open(dataPath, "read") };
    } catch (error) {
      sums.close();
      throw error;
    }
    sums.close();
    return undefined;
  }

  #isOwn(sums: FileHandle, segment: number): boolean {
    try {
      checkSumsOwner(sums, { group: this.#group, segment });
      return true;
    } catch (error) {
      if (error instanceof StopError) return false;
      throw error;
    }
  }

  #closeOldest(): void {
    for (const [segment, open] of this.#open) {
      this.#open.delete(segment);
      closeBoth(open);
      return;
    }
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** What is open of segments whose files are gone: they take room for as long as somebody has them. */
  closeRemoved(): void {
    for (const [segment, open] of this.#open) {
      if (this.#files.exists(this.#folder.dataPath(segment))) continue;
      this.#open.delete(segment);
      closeBoth(open);
    }
  }

  close(): void {
    for (const open of this.#open.values()) closeBoth(open);
    this.#open.clear();
  }
}

function readRun(
  segment: OpenSegment,
  target: Buffer,
  start: number,
  sums: Buffer,
  slot: number,
  blockCount: number,
): boolean {
  return (
    readWhole(segment.data, target, start, blockCount * blockBytes, slot * blockBytes) &&
    readWhole(segment.sums, sums, 0, blockCount * sumBytes, sumPosition(slot))
  );
}

/** Alone, since its neighbours may be what cannot be read. */
function readBlock(
  segment: OpenSegment,
  target: Buffer,
  at: number,
  sums: Buffer,
  block: number,
  slot: number,
): boolean {
  return (
    readWhole(segment.data, target, at, blockBytes, slot * blockBytes) &&
    readWhole(segment.sums, sums, block * sumBytes, sumBytes, sumPosition(slot))
  );
}

function closeBoth(open: OpenSegment): void {
  open.data.close();
  open.sums.close();
}

/** False: the file ends before, or the disk does not give the bytes. */
function readWhole(handle: FileHandle, target: Buffer, start: number, lengthBytes: number, position: number): boolean {
  try {
    return handle.readNow(target, start, lengthBytes, position) === lengthBytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EIO") return false;
    throw error;
  }
}
