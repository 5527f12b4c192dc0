/** What must fit together among the settings, for the roles that are started. Every refusal says what to change. */

import { formatByteSize } from "#src/core/byte-size.ts";
import { RefuseError } from "#src/core/errors.ts";
import { unixPathBytesMax } from "#src/core/limits.ts";
import { parseFault } from "#src/host/faults.ts";
import type { Config } from "./config-schema.ts";
import { localSocket, ownExportsSocket, privateWireSocket, viewsAddress } from "./folder-layout.ts";
import { isLoopback, parseAddress } from "./listening-address.ts";
import type { RoleName } from "./role.ts";

export function checkConfig(config: Config, roles: readonly RoleName[]): void {
  for (const order of config.faults) parseFault(order);
  checkTlsPair("http.tls", config.http.tls);
  checkHttp(config);
  if (roles.includes("interceptor")) checkNbd(config);
  if (roles.includes("local")) checkLocal(config);
  if (roles.includes("local") && !roles.includes("remote") && config.remote.address === undefined) {
    throw new RefuseError("the local appliance must be told where the remote one is: set remote.address");
  }
  // With all roles in one process the wire is a private Unix socket, whatever is said of it.
  if (roles.includes("remote") && roles.length === 1) checkWire(config);
  if (roles.includes("remote")) checkViews(config);
  for (const path of socketPaths(config, roles)) checkSocketPath(path);
}

function checkHttp({ http }: Config): void {
  if (isLoopback(http.host)) return;
  const missing = [http.tls.certFile === undefined ? "http.tls.certFile and http.tls.keyFile" : undefined];
  refuseOpenDoor("http.host", http.host, "could command this program", missing);
}

function checkNbd({ nbd }: Config): void {
  checkTlsPair("nbd.tls", nbd.tls);
  if (nbd.tls.caFile !== undefined && nbd.tls.certFile === undefined) {
    throw new RefuseError("nbd.tls.caFile is for TLS, which needs nbd.tls.certFile and nbd.tls.keyFile");
  }
  if (nbd.port === undefined && nbd.socket === undefined) {
    throw new RefuseError("hosts have no way to attach volumes: set nbd.port or nbd.socket");
  }
  if (nbd.port === undefined || isLoopback(nbd.host)) return;
  const missing = [
    nbd.tls.certFile === undefined ? "nbd.tls.certFile and nbd.tls.keyFile" : undefined,
    nbd.tls.caFile === undefined ? "nbd.tls.caFile" : undefined,
  ];
  refuseOpenDoor("nbd.host", nbd.host, "could read and write all volumes", missing);
}

function checkWire({ wire }: Config): void {
  checkTlsPair("wire.tls", wire.tls);
  if (wire.port === undefined && wire.socket === undefined) {
    throw new RefuseError("local appliances have no way to connect: set wire.port or wire.socket");
  }
  if (wire.socket !== undefined || isLoopback(wire.host)) return;
  const missing = [
    wire.tls.certFile === undefined ? "wire.tls.certFile and wire.tls.keyFile" : undefined,
    wire.token === undefined && wire.tokenFile === undefined ? "wire.tokenFile" : undefined,
  ];
  refuseOpenDoor("wire.host", wire.host, "could write into the journals", missing);
}

function checkViews(config: Config): void {
  if (Number.isFinite(config.drills.everySeconds) && config.drills.command === undefined) {
    throw new RefuseError("drills.everySeconds says how often drills.command is run: set that too");
  }
  const address = viewsAddress(config);
  checkTlsPair("nbd.tls", config.nbd.tls);
  if (address.kind !== "tcp" || isLoopback(address.host)) return;
  const missing = [
    config.nbd.tls.certFile === undefined ? "nbd.tls.certFile and nbd.tls.keyFile" : undefined,
    config.nbd.tls.caFile === undefined ? "nbd.tls.caFile" : undefined,
  ];
  refuseOpenDoor("views.listen", address.host, "could read every moment of all volumes", missing);
}

function checkLocal({ local, remote, wire, modes }: Config): void {
  const { limit, segment } = local.spool;
  if (segment * 4 > limit) {
    throw new RefuseError(
      `local.spool.limit must hold at least four of local.spool.segment: with ${formatByteSize(segment)} for that it is ` +
        `${formatByteSize(segment * 4)} or more, not ${formatByteSize(limit)}`,
    );
  }
  if (modes.lagBytes !== Number.POSITIVE_INFINITY && modes.lagBytes > limit) {
    throw new RefuseError("modes.lagBytes cannot be more than local.spool.limit, where the lag is kept");
  }
  if (remote.address === undefined) return;
  const address = parseAddress(remote.address, "remote.address");
  if (address.kind !== "tcp" || isLoopback(address.host)) return;
  const missing = [
    wire.tls.caFile === undefined ? "wire.tls.caFile" : undefined,
    wire.token === undefined && wire.tokenFile === undefined ? "wire.tokenFile" : undefined,
  ];
  refuseOpenDoor("remote.address", address.host, "on the way could read and change what is sent", missing);
}

function refuseOpenDoor(key: string, host: string, harm: string, missing: readonly (string | undefined)[]): void {
  const wanted = missing.filter((item) => item !== undefined);
  if (wanted.length === 0) return;
  throw new RefuseError(`${key} is ${host}, beyond loopback, where anybody ${harm}: set ${wanted.join(", and ")}`);
}

function checkTlsPair(
  section: string,
  tls: { readonly certFile?: string | undefined; readonly keyFile?: string | undefined },
) {
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    throw new RefuseError(`${section}.certFile and ${section}.keyFile belong together: one of them is missing`);
  }
}

/** All that are listened on or connected to, those in the data folder too. */
function socketPaths(config: Config, roles: readonly RoleName[]): (string | undefined)[] {
  const isAtOnce = roles.includes("interceptor") && roles.includes("local");
  const needsDoor = !isAtOnce && roles.some((role) => role !== "remote");
  const isWirePrivate = roles.includes("local") && roles.includes("remote");
  const views = roles.includes("remote") ? viewsAddress(config) : undefined;
  return [
    views?.kind === "unix" ? views.path : undefined,
    config.nbd.socket,
    roles.includes("interceptor") && config.nbd.tls.certFile !== undefined ? ownExportsSocket(config) : undefined,
    config.wire.socket,
    needsDoor ? localSocket(config) : undefined,
    isWirePrivate ? privateWireSocket(config) : undefined,
  ];
}

function checkSocketPath(path: string | undefined): void {
  if (path === undefined || Buffer.byteLength(path) <= unixPathBytesMax) return;
  throw new RefuseError(
    `a socket's path has at most ${unixPathBytesMax} bytes, unlike ${path}: choose a shorter folder`,
  );
}
