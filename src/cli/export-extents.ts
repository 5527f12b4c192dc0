/** An export from its beginning to its end, in parts that are zeros or not, for whoever reads all of it. */
import { exportCopyPieceBytes, exportCopyReadsMax } from "#src/core/view-limits.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { connect } from "#src/nbd/client/connect.ts";
import { allocationFlag, baseAllocation } from "#src/nbd/constants.ts";
import { parseNbdUri } from "#src/nbd/uri.ts";

export interface ExportExtent {
  readonly start: number;
  readonly end: number;
  readonly isZero: boolean;
}

export function connectToExport(uri: string): Promise<NbdClient> {
  const { address, exportName } = parseNbdUri(uri);
  const want = { metaContexts: [baseAllocation] };
  return connect({ address, exportName, sockets: nodeSockets, clock: nodeClock, want });
}

export async function* extentsOf(client: NbdClient): AsyncGenerator<ExportExtent, void> {
  for (let start = 0; start < client.sizeBytes; ) {
    const status = await client.blockStatus(start, client.sizeBytes - start);
    const extents = status.get(baseAllocation) ?? [];
    if (extents.length === 0) throw new Error("the server does not tell what is a hole");
    for (const { lengthBytes, status: flags } of extents) {
      const end = Math.min(start + lengthBytes, client.sizeBytes);
      yield { start, end, isZero: (flags & allocationFlag.zero) !== 0 };
      start = end;
    }
  }
}

/** Reads it in pieces, several at the same time, in any order. */
export async function readExtent(
  client: NbdClient,
  { start, end }: Pick<ExportExtent, "start" | "end">,
  take: (bytes: Buffer, position: number) => void,
): Promise<void> {
  let next = start;
  const lane = async (): Promise<void> => {
    while (next < end) {
      const offset = next;
      const pieceBytes = Math.min(end - offset, exportCopyPieceBytes);
      next += pieceBytes;
      take(await client.read(offset, pieceBytes), offset);
    }
  };
  await Promise.all(Array.from({ length: exportCopyReadsMax }, lane));
}
