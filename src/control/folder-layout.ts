/** Where in the data folder things are. Each role has a folder of its own, so that each can run alone, on its own host. */
import { join } from "node:path";
import { assert } from "#src/core/assert.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import type { Config } from "./config-schema.ts";
import { parseAddress } from "./listening-address.ts";
import { type RoleName, roleNames } from "./role.ts";

export function roleFolder(config: Config, role: RoleName): string {
  return join(config.data, role);
}

/** Who may ask the control API of the roles of one process. */
export function tokensPath(config: Config, roles: readonly RoleName[]): string {
  return join(firstRoleFolder(config, roles), "tokens.json");
}

/** What was ordered there. */
export function auditPath(config: Config, roles: readonly RoleName[]): string {
  return join(firstRoleFolder(config, roles), "audit.log");
}

/** What has happened there, the last of it. */
export function eventFilePath(config: Config, roles: readonly RoleName[]): string {
  return join(firstRoleFolder(config, roles), "events.log");
}

/** Locked as long as the process runs, and no other one's. */
function firstRoleFolder(config: Config, roles: readonly RoleName[]): string {
  const role = roleNames.find((one) => roles.includes(one));
  assert(role !== undefined, "a program has a role");
  return roleFolder(config, role);
}

export function cataloguePath(config: Config): string {
  return join(roleFolder(config, "interceptor"), "volumes.json");
}

/** With a folder for each volume that was ever opened here, named by its id. */
export function openedVolumesFolder(config: Config): string {
  return join(roleFolder(config, "interceptor"), "volumes");
}

/** What both ends of every link know, unless the configuration says another. */
export function ownTokenFile(config: Config): string {
  return join(config.data, "wire.token");
}

/** The wire where both appliances are in one process. */
export function privateWireSocket(config: Config): string {
  return join(config.data, "wire.sock");
}

/** Where this program itself comes to its volumes, if hosts need certificates for that. Only its user gets into the folder. */
export function ownExportsSocket(config: Config): string {
  return join(roleFolder(config, "interceptor"), "own.sock");
}

export function localSocket(config: Config): string {
  return config.local.socket ?? join(config.data, "local.sock");
}

/** The objects that the remote appliance keeps for long. */
export function storeFolder(config: Config): string {
  return config.store.folder ?? join(roleFolder(config, "remote"), "objects");
}

/** That the names in the store's folders cannot be relied on. */
export function namesDoubtPath(config: Config): string {
  return join(roleFolder(config, "remote"), "names-doubt.json");
}

/** Where views are attached. */
export function viewsAddress(config: Config): SocketAddress {
  const { listen } = config.views;
  if (listen === undefined) return { kind: "unix", path: join(config.data, "views.sock") };
  return parseAddress(listen, "views.listen");
}

/** What is noted of restores. */
export function restoresFolder(config: Config): string {
  return join(roleFolder(config, "remote"), "restores");
}

/** Each view has a folder of its own in there. */
export function viewsFolder(config: Config): string {
  return join(roleFolder(config, "remote"), "views");
}

/** What came of recovery tests. */
export function drillsPath(config: Config): string {
  return join(roleFolder(config, "remote"), "drills.json");
}

/** Each group has its journals in a folder of its own in there. */
export function groupsFolder(config: Config): string {
  return join(roleFolder(config, "remote"), "groups");
}

/** The long works over the store that were asked for. */
export function jobsPath(config: Config): string {
  return join(roleFolder(config, "remote"), "jobs.json");
}

/** What can be made anew from the objects, so it need not lie where they do. */
export function storeIndexFolder(config: Config): string {
  return join(roleFolder(config, "remote"), "index");
}
