/** What a volume must not have as its source, since it is this program's own: it would write what it reads, and without end. */
import { sep } from "node:path";
import { RefuseError } from "#src/core/errors.ts";
import { ownHosts } from "#src/host/node/own-hosts.ts";
import { realPath } from "#src/host/node/real-path.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import { isNbdUri, parseNbdUri } from "#src/nbd/uri.ts";
import type { Config } from "./config-schema.ts";
import { localSocket, ownTokenFile, privateWireSocket, roleFolder } from "./folder-layout.ts";
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
  if (!isOwnFile(config, source)) return;
  throw new RefuseError(`${source} is one of the files that Tidemark itself keeps in ${config.data}, and no source`);
}

function isOwnFile(config: Config, source: string): boolean {
  const path = realPath(source);
  const folders = roleNames.map((role) => realPath(roleFolder(config, role)));
  if (folders.some((folder) => path === folder || path.startsWith(folder + sep))) return true;
  return [ownTokenFile(config), privateWireSocket(config), localSocket(config)].some((own) => path === realPath(own));
}

function leadsTo(own: SocketAddress, other: SocketAddress): boolean {
  if (own.kind === "unix" && other.kind === "unix") return realPath(own.path) === realPath(other.path);
  return own.kind === "tcp" && other.kind === "tcp" && own.port === other.port && isSameHost(own.host, other.host);
}

function isSameHost(own: string, other: string): boolean {
  if (own === other) return true;
  const isEverywhere = own === "0.0.0.0" || own === "::";
  if (isLoopback(other)) return isEverywhere || isLoopback(own);
  return isEverywhere && ownHosts().includes(other);
}
