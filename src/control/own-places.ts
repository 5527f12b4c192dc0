/** What a volume must not have as its source, since it is this program's own: it would write what it reads, and without end. */
import { sep } from "node:path";
import { RefuseError } from "#src/core/errors.ts";
import { ownHosts } from "#src/host/node/own-hosts.ts";
import { realPath } from "#src/host/node/real-path.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import { isNbdUri, parseNbdUri } from "#src/nbd/uri.ts";
import type { Config } from "./config-schema.ts";
import { localSocket, ownTokenFile, privateWireSocket, roleFolder, storeFolder } from "./folder-layout.ts";
import { isLoopback } from "./listening-address.ts";
import { roleNames } from "./role.ts";

/** `exports`: where this program's own volumes are attached. */
export function refuseOwn(config: Config, exports: readonly SocketAddress[], source: string): void {
  if (isNbdUri(source)) {
    const { address } = parseNbdUri(source);
    if (!exports.some((own) => leadsTo(own, address))) return;
    throw new RefuseError(
      `${source} is a volume of this program itself: name what is to be protected, and not its export`,
    );
  }
  const place = ownPlaceOf(config, source);
  if (place === undefined) return;
  throw new RefuseError(`${source} is one of the files that Tidemark itself keeps in ${place}, and no source`);
}

/** The folder of this program's that has the file. Undefined: it is none of its files. */
function ownPlaceOf(config: Config, source: string): string | undefined {
  const path = realPath(source);
  const isWithin = (folder: string): boolean => {
    const real = realPath(folder);
    return path === real || path.startsWith(real + sep);
  };
  if (roleNames.some((role) => isWithin(roleFolder(config, role)))) return config.data;
  const files = [ownTokenFile(config), privateWireSocket(config), localSocket(config)];
  if (files.some((own) => path === realPath(own))) return config.data;
  // It may lie outside of the data folder.
  const objects = storeFolder(config);
  return isWithin(objects) ? objects : undefined;
}

/** Whether a server that listens at `own` is found at the other one. */
export function leadsTo(own: SocketAddress, other: SocketAddress): boolean {
  if (own.kind === "unix" && other.kind === "unix") return realPath(own.path) === realPath(other.path);
  return own.kind === "tcp" && other.kind === "tcp" && own.port === other.port && isSameHost(own.host, other.host);
}

function isSameHost(own: string, other: string): boolean {
  if (own === other) return true;
  const isEverywhere = own === "0.0.0.0" || own === "::";
  if (isLoopback(other)) return isEverywhere || isLoopback(own);
  return isEverywhere && ownHosts().includes(other);
}
