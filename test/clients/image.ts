/** Disk images with a content that is the same in every run, and the means to compare them. */
import { createCipheriv, createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

export const KiB = 1024;
export const MiB = 1024 * KiB;

export interface DataRun {
  readonly position: number;
  readonly lengthBytes: number;
}

/** Bytes without a pattern that a sparse writer or a compressor could use; the seed decides them. */
export function noise(lengthBytes: number, seed: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(lengthBytes));
}

/** A new file of the given size: holes, but for the runs. */
export async function createImage(path: string, sizeBytes: number, runs: readonly DataRun[] = []): Promise<string> {
  const file = await open(path, "wx");
  try {
    await file.truncate(sizeBytes);
    for (const [index, run] of runs.entries()) {
      await file.write(noise(run.lengthBytes, index + 1), 0, run.lengthBytes, run.position);
    }
  } finally {
    await file.close();
  }
  return path;
}

/** A new file full of noise. */
export function createFullImage(path: string, sizeBytes: number): Promise<string> {
  return createImage(path, sizeBytes, [{ position: 0, lengthBytes: sizeBytes }]);
}

export async function fileHash(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 * MiB }), hash);
  return hash.digest("hex");
}

export async function readRange(path: string, position: number, lengthBytes: number): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(lengthBytes), 0, lengthBytes, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Changes a file behind the back of whoever serves it. */
export async function writeRange(path: string, position: number, content: Buffer): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.write(content, 0, content.length, position);
  } finally {
    await file.close();
  }
}

/** What a file takes on the disk, as against what it says to hold. */
export async function allocatedBytes(path: string): Promise<number> {
  const { blocks } = await stat(path);
  return blocks * 512;
}
