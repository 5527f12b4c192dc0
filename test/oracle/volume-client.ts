/** A host's connection to a volume. */
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { connect } from "#src/nbd/client/connect.ts";
import { parseNbdUri } from "#src/nbd/uri.ts";
import { patienceMs } from "#test/patience.ts";

export function openVolume(uri: string): Promise<NbdClient> {
  const { address, exportName } = parseNbdUri(uri);
  const limits = { connectTimeoutMs: patienceMs, requestTimeoutMs: patienceMs };
  return connect({ address, exportName, sockets: nodeSockets, clock: nodeClock, ...limits });
}
