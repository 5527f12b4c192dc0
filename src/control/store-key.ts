/** The key of an encrypted store, from where the configuration says it is. */
import { RefuseError } from "#src/core/errors.ts";
import { storeKeyCommandMs } from "#src/core/store-limits.ts";
import type { Files } from "#src/host/files.ts";
import { environment } from "#src/host/node/environment.ts";
import { shellOutput } from "#src/host/node/shell-command.ts";
import { WrappingKey } from "#src/store/wrapping-key.ts";
import type { Config } from "./config-schema.ts";

/** Undefined: there is to be none. */
export async function readStoreKey(files: Files, { store }: Config): Promise<WrappingKey | undefined> {
  const { keyFile, keyCommand } = store;
  if (keyFile !== undefined && keyCommand !== undefined) {
    throw new RefuseError("store.keyFile and store.keyCommand are both set: take one of them away");
  }
  const commandOutput = (command: string, bytesMax: number) =>
    shellOutput(command, { env: environment(), timeoutMs: storeKeyCommandMs, bytesMax });
  if (keyFile !== undefined) return WrappingKey.read({ keyFile }, { files, commandOutput });
  return keyCommand === undefined ? undefined : WrappingKey.read({ keyCommand }, { files, commandOutput });
}
