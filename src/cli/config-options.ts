/** How commands that start something are told what to do: a file, the environment, and `--set`. */

import { type LoadedConfig, loadConfig } from "#src/control/config.ts";
import { checkConfig } from "#src/control/config-check.ts";
import { unusedSettings } from "#src/control/config-use.ts";
import type { RoleName } from "#src/control/role.ts";
import { RefuseError } from "#src/core/errors.ts";
import { environment, workingFolder } from "#src/host/node/environment.ts";
import { readTextFile } from "#src/host/node/text-file.ts";
import { UsageError } from "./command.ts";
import { explainFile } from "./failure.ts";

export const configOptions = {
  config: { type: "string" },
  data: { type: "string" },
  set: { type: "string", multiple: true },
} as const;

export const configHelp = `  --config FILE    the configuration (YAML; TIDEMARK_CONFIG); 'tidemark config' shows what is in force
  --data DIR       where everything is kept that must last; short for --set data=DIR
  --set KEY=VALUE  one setting, for example nbd.port=0; may be repeated
`;

export interface ConfigValues {
  readonly config?: string | undefined;
  readonly data?: string | undefined;
  readonly set?: readonly string[] | undefined;
}

/** A configuration that cannot be used is wrong use. `roles`: what is to be started with it, if anything. */
export function readConfiguration(values: ConfigValues, roles: readonly RoleName[]): LoadedConfig {
  const variables = environment();
  const name = values.config ?? variables.TIDEMARK_CONFIG;
  const data = values.data === undefined ? [] : [`data=${values.data}`];
  try {
    const loaded = loadConfig({
      ...(name === undefined ? {} : { file: { name, text: fileText(name) } }),
      environment: variables,
      assignments: [...data, ...(values.set ?? [])],
      folder: workingFolder(),
    });
    for (const remark of unusedSettings(loaded, roles)) process.stderr.write(`tidemark: ${remark}\n`);
    if (roles.length > 0) checkConfig(loaded.config, roles);
    return loaded;
  } catch (error) {
    if (error instanceof RefuseError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function fileText(name: string): string {
  try {
    return readTextFile(name);
  } catch (error) {
    throw explainFile(error, `--config ${name}`);
  }
}
