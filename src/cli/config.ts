/** `tidemark config`: the settings in force, and where each comes from. */
import { configAsRecord, configAsYaml } from "#src/control/config-text.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { configHelp, configOptions, readConfiguration } from "./config-options.ts";

const help = `Usage: tidemark config [OPTION ...]

Prints every setting with its value, what it is for, and where the value comes from. The text is a configuration file by
itself. Secrets are not shown.

${configHelp}  --json           JSON with stable names instead of text
  --help           this text

Example:
  tidemark config > tidemark.yaml
`;

export const configCommand: Command = {
  name: "config",
  summary: "print the settings in force",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, { ...configOptions, json: { type: "boolean" } });
    if (positionals.length > 0) throw new UsageError(`config takes no '${positionals[0]}'`);
    const loaded = readConfiguration(values, []);
    process.stdout.write(values.json === true ? `${JSON.stringify(configAsRecord(loaded))}\n` : configAsYaml(loaded));
    return 0;
  },
};
