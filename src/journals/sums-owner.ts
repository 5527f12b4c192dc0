/**
 * Whose a file of sums is. Its header says nothing that its path does not say as well, and each entry vouches for itself and its
 * place: so damage to the header costs no block, whoever reads or seals. It is there for a file that somebody has put in the
 * place of another one, and for one that a later version has written: neither is used, nor removed, and one turned bit in
 * the header does not make it pass for ours.
 */
import { StopError } from "#src/core/errors.ts";
import type { FileHandle } from "#src/host/files.ts";
import { turnBitBack } from "#src/host/turned-bit.ts";
import { decodeSumsHeader, hasSumsHeaderChecksum, sumsHeaderBytes, sumsHeaderSpokenBytes } from "./sums-format.ts";

export interface SumsOwner {
  /** 32 hexadecimal digits. */
  readonly group: string;
  readonly segment: number;
}

/** Throws a `StopError` where it is another segment's or another group's, a `RefuseError` where a later version wrote it. */
export function checkSumsOwner(sums: FileHandle, { group, segment }: SumsOwner): void {
  const bytes = headerOf(sums);
  if (bytes === undefined || !isSaying(bytes)) return;
  const header = decodeSumsHeader(bytes, sums.path);
  if (header.group === group && header.segment === segment) return;
  throw new StopError(`${sums.path} is another segment's: ${header.segment} of the group ${header.group}`);
}

/** Undefined: the disk does not give it, or the file ends before; then it has no entries either. */
function headerOf(sums: FileHandle): Buffer | undefined {
  const bytes = Buffer.alloc(sumsHeaderBytes);
  try {
    return sums.readNow(bytes, 0, sumsHeaderBytes, 0) === sumsHeaderBytes ? bytes : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EIO") return undefined;
    throw error;
  }
}

/** Whether its checksum fits, perhaps when one bit has been turned back. What a loss of power left of it is zeros, for example. */
function isSaying(bytes: Buffer): boolean {
  return hasSumsHeaderChecksum(bytes) || turnBitBack(bytes, sumsHeaderSpokenBytes, hasSumsHeaderChecksum);
}
