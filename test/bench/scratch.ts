/**
 * Folders and files that a benchmark fills and that must not stay, however it ends: the largest of them lie in memory.
 */
import { createCipheriv } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { open, statfs } from "node:fs/promises";
import { join } from "node:path";

export const noisePieceBytes = 8 * 1024 * 1024;
/** What is left free on the file system, for everybody else. */
const spareBytes = 256 * 1024 * 1024;

export interface Scratch extends Disposable {
  readonly path: string;
  file(name: string): string;
}

/** A new folder inside `parent`, removed when disposed of, or else when the process ends. */
export function createScratch(parent: string): Scratch {
  mkdirSync(parent, { recursive: true });
  const path = mkdtempSync(join(parent, "tidemark-bench-"));
  const remove = () => rmSync(path, { recursive: true, force: true });
  process.once("exit", remove);
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.dispose]() {
      process.off("exit", remove);
      remove();
    },
  };
}

/** A new file without a pattern, synced; without holes but for the pieces that are to be some, each of `noisePieceBytes`. */
export async function writeNoiseFile(
  path: string,
  sizeBytes: number,
  isHole: (position: number) => boolean = () => false,
): Promise<void> {
  const file = await open(path, "wx");
  try {
    const { bavail, bsize } = await statfs(path);
    if (bavail * bsize < sizeBytes + spareBytes) throw new Error(`no room for ${sizeBytes} bytes at ${path}`);
    await file.truncate(sizeBytes);
    const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, "tidemark"), Buffer.alloc(16));
    const zeros = Buffer.alloc(noisePieceBytes);
    for (let position = 0; position < sizeBytes; position += noisePieceBytes) {
      if (isHole(position)) continue;
      const piece = cipher.update(zeros.subarray(0, Math.min(noisePieceBytes, sizeBytes - position)));
      await file.write(piece, 0, piece.length, position);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}
