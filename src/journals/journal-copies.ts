/** Blocks that the files of the open journals still have: of segments that were sealed, as long as their files are there. */
import { blockBytes } from "#src/core/limits.ts";
import { checksumBytes, hasChecksum } from "#src/host/checksum.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { segmentOf, slotOf } from "#src/records/address.ts";
import type { LostBlock, SecondCopies } from "#src/store/second-copies.ts";
import type { JournalFolder } from "./journal-folder.ts";
import { isSumFor, sumBytes, sumPosition } from "./sums-format.ts";

export class JournalCopies implements SecondCopies {
  readonly #files: Files;
  readonly #folders: () => readonly JournalFolder[];

  /** `folders`: of the journals of all groups. */
  constructor(files: Files, folders: () => readonly JournalFolder[]) {
    this.#files = files;
    this.#folders = folders;
  }

  /** What the disk does not give is not there, nor is what goes just now: whoever has sealed a segment removes its files. */
  async read(lost: LostBlock, target: Buffer): Promise<boolean> {
    try {
      return this.#readNow(lost, target);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "EIO") return false;
      throw error;
    }
  }

  #readNow(lost: LostBlock, target: Buffer): boolean {
    const segment = segmentOf(lost.address);
    const found = this.#folders().find((folder) => this.#files.exists(folder.dataPath(segment)));
    if (found === undefined || !this.#files.exists(found.sumsPath(segment))) return false;
    const data = this.#files.open(found.dataPath(segment), "read");
    try {
      const sums = this.#files.open(found.sumsPath(segment), "read");
      try {
        return isRead(data, sums, lost, target);
      } finally {
        sums.close();
      }
    } finally {
      data.close();
    }
  }
}

function isRead(data: FileHandle, sums: FileHandle, { address, volume, checksum }: LostBlock, target: Buffer): boolean {
  const sum = Buffer.alloc(sumBytes);
  if (sums.readNow(sum, 0, sumBytes, sumPosition(slotOf(address))) !== sumBytes) return false;
  if (data.readNow(target, 0, blockBytes, slotOf(address) * blockBytes) !== blockBytes) return false;
  const isIt = isSumFor(sum, 0, volume, address) && sum.compare(checksum, 0, checksumBytes, 0, checksumBytes) === 0;
  return isIt && hasChecksum(target, 0, blockBytes, checksum, 0);
}
