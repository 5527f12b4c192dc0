/**
 * A source of which half is holes, as a file system in use leaves them: its first tenth is full, the last is empty, and in
 * between pieces that are full take turns with such that are not.
 */
import { noisePieceBytes, writeNoiseFile } from "./scratch.ts";

/** From its beginning on, without holes: where a host may write and nothing becomes of it but other data. */
export function fullBytesOf(sizeBytes: number): number {
  return Math.floor(sizeBytes / 10 / (2 * noisePieceBytes)) * 2 * noisePieceBytes;
}

export async function writeHalfFullSource(path: string, sizeBytes: number): Promise<void> {
  const fullBytes = fullBytesOf(sizeBytes);
  await writeNoiseFile(path, sizeBytes, (position) => {
    if (position < fullBytes) return false;
    if (position >= sizeBytes - fullBytes) return true;
    return (position / noisePieceBytes) % 2 === 1;
  });
}
