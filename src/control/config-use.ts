/** Which settings mean something to which roles. One that was set for nothing is somebody's misunderstanding. */
import { RefuseError } from "#src/core/errors.ts";
import type { LoadedConfig } from "./config.ts";
import type { RoleName } from "./role.ts";

/** Keys, or the sections that they are in. */
const ofAll = ["data", "http", "log", "faults"];
const ofRole: Readonly<Record<RoleName, readonly string[]>> = {
  interceptor: ["nbd", "interceptor", "copy", "local.socket", "wire.token", "wire.tokenFile"],
  local: ["local", "remote", "modes", "wire.tls", "wire.token", "wire.tokenFile"],
  remote: ["wire", "store", "views", "drills", "nbd.tls"],
};
/** In one process they find each other without being told where. */
const ofAllRoles = [
  ...["nbd", "interceptor", "copy", "local.spool", "modes", "remote.bandwidth", "remote.bandwidthHours"],
  ...["wire.token", "wire.tokenFile", "store", "views", "drills"],
];

/**
 * Throws for those that whoever started this program meant for it. A file may be one for all roles; only where the data
 * goes nobody must be mistaken about. Answers what else has no effect, in words.
 */
export function unusedSettings({ origins }: LoadedConfig, roles: readonly RoleName[]): string[] {
  const [onlyRole, ...others] = roles;
  if (onlyRole === undefined) return [];
  const isOne = others.length > 0;
  const used = [...ofAll, ...(isOne ? ofAllRoles : ofRole[onlyRole])];
  const unused = [...origins].filter(([key]) => !used.some((part) => key === part || key.startsWith(`${part}.`)));
  const why = isOne ? "where all roles run in one process" : `in the role ${onlyRole}`;
  for (const [key, origin] of unused) {
    const isMeant = origin === "--set" || (isOne && (key === "remote.address" || origin.startsWith("the environment")));
    if (isMeant)
      throw new RefuseError(`${key} (from ${origin}) has no effect ${why}: take it away${advice(key, isOne)}`);
  }
  return isOne ? unused.map(([key, origin]) => `${key} (from ${origin}) has no effect ${why}`) : [];
}

function advice(key: string, isOne: boolean): string {
  if (isOne && /^(remote|wire|local)\./.test(key)) return ", or start interceptor, local and remote by themselves";
  return "";
}
