/** Whose the folders are that a program, or a command by hand, is about to write to. */
import type { Config } from "#src/control/config-schema.ts";
import { roleFolder } from "#src/control/folder-layout.ts";
import type { RoleName } from "#src/control/role.ts";
import { otherOwner } from "#src/host/node/other-owner.ts";

export const ownerOptions = { "as-root": { type: "boolean" } } as const;

export const ownerHelp = `  --as-root        root starts it also on a data folder of another user, who cannot read then what is new
`;

/** What root makes in a service's folders the service, as another user, could not open any more. `orElse`: the other way out. */
export function demandOwn(paths: readonly string[], command: string, orElse: string): void {
  for (const path of paths) {
    const owner = otherOwner(path);
    if (owner === undefined) continue;
    throw new Error(
      `${path} belongs to the user with the number ${owner}, who could not read what root makes: run this as that user, as in ` +
        `'runuser -u tidemark -- tidemark ${command}', or ${orElse}`,
    );
  }
}

export function demandOwnData(config: Config, roles: readonly RoleName[], command: string): void {
  const folders = [config.data, ...roles.map((role) => roleFolder(config, role))];
  demandOwn(folders, command, "start it with --as-root");
}
