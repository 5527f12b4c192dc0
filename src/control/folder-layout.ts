/** Where in the data folder things are. Each role has a folder of its own, so that each can run alone, on its own host. */
import { join } from "node:path";
import type { Config } from "./config-schema.ts";
import type { RoleName } from "./role.ts";

export function roleFolder(config: Config, role: RoleName): string {
  return join(config.data, role);
}

export function cataloguePath(config: Config): string {
  return join(roleFolder(config, "interceptor"), "volumes.json");
}

/** What both ends of every link know, unless the configuration says another. */
export function ownTokenFile(config: Config): string {
  return join(config.data, "wire.token");
}

/** The wire where both appliances are in one process. */
export function privateWireSocket(config: Config): string {
  return join(config.data, "wire.sock");
}

export function localSocket(config: Config): string {
  return config.local.socket ?? join(config.data, "local.sock");
}

/** The objects that the remote appliance keeps for long. */
export function storeFolder(config: Config): string {
  return config.store.folder ?? join(roleFolder(config, "remote"), "objects");
}

/** What can be made anew from the objects, so it need not lie where they do. */
export function storeIndexFolder(config: Config): string {
  return join(roleFolder(config, "remote"), "index");
}
