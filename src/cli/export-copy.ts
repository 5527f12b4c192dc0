/** Copies an export to a new file, without its holes. The file has its name only when all of it is there, durably. */
import type { FileHandle } from "#src/host/files.ts";
import { nodeFiles } from "#src/host/node/files.ts";
import { keepName, unpublishedEnding } from "#src/host/publish.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { connectToExport, extentsOf, readExtent } from "./export-extents.ts";

/** Answers how many bytes were copied. Where `mayPublish` rejects nothing is left of it. */
export async function copyExport(
  uri: string,
  path: string,
  mayPublish: () => Promise<void> = async () => {},
): Promise<number> {
  if (nodeFiles.exists(path)) throw new Error(`${path} is there already: what it holds would be lost`);
  const client = await connectToExport(uri);
  const unpublished = path + unpublishedEnding;
  try {
    if (nodeFiles.exists(unpublished)) nodeFiles.remove(unpublished);
    const copiedBytes = await filled(client, nodeFiles.create(unpublished));
    await mayPublish().catch((error: unknown) => {
      nodeFiles.remove(unpublished);
      throw error;
    });
    nodeFiles.rename(unpublished, path);
    await keepName(nodeFiles, path);
    return copiedBytes;
  } finally {
    await client.disconnect();
  }
}

async function filled(client: NbdClient, file: FileHandle): Promise<number> {
  try {
    file.truncateNow(client.sizeBytes);
    let copiedBytes = 0;
    for await (const { isZero, ...range } of extentsOf(client)) {
      if (isZero) continue;
      await readExtent(client, range, (bytes, position) => file.writeNow(bytes, 0, bytes.length, position));
      copiedBytes += range.end - range.start;
    }
    await whenDone((done) => file.sync(done));
    return copiedBytes;
  } finally {
    file.close();
  }
}
