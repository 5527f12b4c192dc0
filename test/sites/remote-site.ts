/** The remote site as a process would be: a remote appliance, and the door through which local appliances come. */

import { openRemoteAppliance } from "#src/appliance/remote/remote-appliance.ts";
import type { RemoteGroupStatus } from "#src/appliance/remote/remote-group-status.ts";
import { GroupLinkServer } from "#src/wire/group-link-server.ts";
import type { SimHost } from "#test/sim/sim-host.ts";

export const linkPort = 7879;
export const linkToken = "both sites know it";

/** Small, so that a short story has several. */
const pieceBytes = 64 * 1024;

export interface RemoteSite {
  groups(): readonly RemoteGroupStatus[];
  stop(): Promise<void>;
}

export async function startRemoteSite(machine: SimHost): Promise<RemoteSite> {
  const { sockets, clock, randomness, log } = machine;
  const appliance = await openRemoteAppliance({ machine, folder: "/remote", options: { pieceBytes } });
  const server = new GroupLinkServer({ sockets, clock, randomness, log, token: linkToken }, appliance);
  await server.listen({ kind: "tcp", host: machine.name, port: linkPort });
  return {
    groups: () => appliance.status(),
    stop: async () => {
      await server.close();
      await appliance.stop();
    },
  };
}
