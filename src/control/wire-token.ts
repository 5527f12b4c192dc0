/** The token of all links. Where the configuration names none, one is made at the first start and kept in the data folder. */
import { RefuseError } from "#src/core/errors.ts";
import { tokenBytes } from "#src/core/limits.ts";
import type { Machine } from "#src/host/machine.ts";
import { publish } from "#src/host/publish.ts";
import type { Config } from "./config-schema.ts";
import { readToken } from "./credentials.ts";
import { ownTokenFile } from "./folder-layout.ts";
import type { RoleName } from "./role.ts";

type Ports = Pick<Machine, "files" | "randomness">;

export async function wireToken(config: Config, roles: readonly RoleName[], ports: Ports): Promise<string> {
  const configured = readToken(config.wire, "wire");
  if (configured !== undefined) return configured;
  const tokenFile = ownTokenFile(config);
  if (!ports.files.exists(tokenFile)) {
    // One side makes it, or two sides would each have one of their own.
    if (!roles.includes("remote")) {
      throw new RefuseError(
        `wire.tokenFile is not set, and there is no ${tokenFile}: name a file with the token that all roles share; ` +
          "the remote appliance makes one at its first start, wire.token in its data folder",
      );
    }
    await publish(ports.files, tokenFile, Buffer.from(`${ports.randomness.bytes(tokenBytes).toString("hex")}\n`));
  }
  return readToken({ token: undefined, tokenFile }, "wire") as string;
}
