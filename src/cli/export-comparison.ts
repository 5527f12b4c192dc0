/** Whether a file holds what an export does: then it need not be copied there once more, whoever has done it. */
import { exportCopyPieceBytes } from "#src/core/view-limits.ts";
import type { FileHandle } from "#src/host/files.ts";
import { nodeFiles } from "#src/host/node/files.ts";
import { keepName } from "#src/host/publish.ts";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { connectToExport, type ExportExtent, extentsOf, readExtent } from "./export-extents.ts";

/** Answers how many bytes of data they have alike, durably by name; undefined: they differ. */
export async function bytesAlike(uri: string, path: string): Promise<number | undefined> {
  const client = await connectToExport(uri);
  const file = nodeFiles.open(path, "read");
  try {
    const dataBytes = file.sizeBytesNow() === client.sizeBytes ? await compared(client, file) : undefined;
    // Whoever made it may have been killed before its name was kept.
    if (dataBytes !== undefined) await keepName(nodeFiles, path);
    return dataBytes;
  } finally {
    file.close();
    await client.disconnect();
  }
}

async function compared(client: NbdClient, file: FileHandle): Promise<number | undefined> {
  const held = Buffer.allocUnsafeSlow(exportCopyPieceBytes);
  let dataBytes = 0;
  for await (const extent of extentsOf(client)) {
    const { start, end, isZero } = extent;
    const isAlike = isZero ? hasZeros(file, extent, held) : await hasSame(client, file, extent, held);
    if (!isAlike) return undefined;
    if (!isZero) dataBytes += end - start;
  }
  return dataBytes;
}

async function hasSame(client: NbdClient, file: FileHandle, extent: ExportExtent, held: Buffer): Promise<boolean> {
  let isAlike = true;
  await readExtent(client, extent, (bytes, position) => {
    if (isAlike) isAlike = bytesOf(file, position, bytes.length, held).equals(bytes);
  });
  return isAlike;
}

const zeros = Buffer.alloc(exportCopyPieceBytes);

function hasZeros(file: FileHandle, { start, end }: ExportExtent, held: Buffer): boolean {
  for (let position = start; position < end; position += exportCopyPieceBytes) {
    const byteLength = Math.min(exportCopyPieceBytes, end - position);
    if (!bytesOf(file, position, byteLength, held).equals(zeros.subarray(0, byteLength))) return false;
  }
  return true;
}

function bytesOf(file: FileHandle, position: number, byteLength: number, held: Buffer): Buffer {
  return held.subarray(0, file.readNow(held, 0, byteLength, position));
}
