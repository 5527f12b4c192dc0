/** Copies an export to a new file, without its holes. The file has its name only when all of it is there, durably. */
import { dirname } from "node:path";
import { exportCopyPieceBytes, exportCopyReadsMax } from "#src/core/view-limits.ts";
import type { FileHandle } from "#src/host/files.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeFiles } from "#src/host/node/files.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import { unpublishedEnding } from "#src/host/publish.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { connect } from "#src/nbd/client/connect.ts";
import { allocationFlag, baseAllocation } from "#src/nbd/constants.ts";
import { parseNbdUri } from "#src/nbd/uri.ts";

/** Answers how many bytes were copied. */
export async function copyExport(uri: string, path: string): Promise<number> {
  if (nodeFiles.exists(path)) throw new Error(`${path} is there already: what it holds would be lost`);
  const { address, exportName } = parseNbdUri(uri);
  const want = { metaContexts: [baseAllocation] };
  const client = await connect({ address, exportName, sockets: nodeSockets, clock: nodeClock, want });
  const unpublished = path + unpublishedEnding;
  try {
    if (nodeFiles.exists(unpublished)) nodeFiles.remove(unpublished);
    const copiedBytes = await filled(client, nodeFiles.create(unpublished));
    nodeFiles.rename(unpublished, path);
    await whenDone((done) => nodeFiles.syncFolder(dirname(path), done));
    return copiedBytes;
  } finally {
    await client.disconnect();
  }
}

async function filled(client: NbdClient, file: FileHandle): Promise<number> {
  try {
    file.truncateNow(client.sizeBytes);
    let copiedBytes = 0;
    for (let offset = 0; offset < client.sizeBytes; ) {
      const status = await client.blockStatus(offset, client.sizeBytes - offset);
      const extents = status.get(baseAllocation) ?? [];
      if (extents.length === 0) throw new Error("the server does not tell what is a hole");
      for (const { lengthBytes, status: flags } of extents) {
        const end = Math.min(offset + lengthBytes, client.sizeBytes);
        if ((flags & allocationFlag.zero) === 0) copiedBytes += await copyRange(client, file, offset, end);
        offset = end;
      }
    }
    await whenDone((done) => file.sync(done));
    return copiedBytes;
  } finally {
    file.close();
  }
}

/** Several reads at the same time, each of which goes on with the next piece. */
async function copyRange(client: NbdClient, file: FileHandle, start: number, end: number): Promise<number> {
  let next = start;
  const lane = async (): Promise<void> => {
    while (next < end) {
      const offset = next;
      const pieceBytes = Math.min(end - offset, exportCopyPieceBytes);
      next += pieceBytes;
      const bytes = await client.read(offset, pieceBytes);
      file.writeNow(bytes, 0, bytes.length, offset);
    }
  };
  await Promise.all(Array.from({ length: exportCopyReadsMax }, lane));
  return end - start;
}
