/** Programs of Debian's PostgreSQL, as the user of its own: its server refuses to run as root. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { succeed } from "./command.ts";

export const postgresUser = "postgres";
const versionsFolder = "/usr/lib/postgresql";

/** Programs of one version only are in this folder, and what Debian has in the usual one is a script that chooses. */
export function runPostgresProgram(program: string, programArguments: readonly string[], timeoutMs: number) {
  const path = join(versionsFolder, newestVersion(), "bin", program);
  const asUser =
    process.getuid?.() === 0 ? [`--reuid=${postgresUser}`, `--regid=${postgresUser}`, "--clear-groups"] : [];
  return succeed("setpriv", [...asUser, "--", path, ...programArguments], { timeoutMs });
}

function newestVersion(): string {
  const version = readdirSync(versionsFolder)
    .sort((a, b) => Number(a) - Number(b))
    .at(-1);
  if (version === undefined) throw new Error(`${versionsFolder} has no version`);
  return version;
}
