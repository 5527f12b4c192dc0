/** `tidemark group ls|rm`. */
import type { GroupReport } from "#src/control/readiness.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { groupTable } from "./status.ts";
import { onlyName } from "./volume.ts";

const help = `Usage: tidemark group ls [OPTION ...]
       tidemark group rm NAME [OPTION ...]

A group begins with its first volume, and outlives its last one: a volume that is added to it later goes on with its order.

ls  lists the groups.
rm  ends a group without volumes, as soon as the remote appliance has all of it. What it has there stays there.

${apiHelp}
Example:
  tidemark volume rm disk --confirm disk
  tidemark group rm disk
`;

export const groupCommand: Command = {
  name: "group",
  summary: "list groups, and end those without volumes",
  help,
  run: async ([action, ...rest]) => {
    if (action === "ls") return list(rest);
    if (action === "rm") return remove(rest);
    const not = action === undefined ? "" : `, not '${action}'`;
    throw new UsageError(`group is followed by ls or rm${not}; 'tidemark group --help' tells more`);
  },
};

async function list(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  if (positionals.length > 0) throw new UsageError(`group ls takes no '${positionals[0]}'`);
  const answer = (await new ApiClient(values).ask("GET", ["groups"])) as { readonly groups: readonly GroupReport[] };
  if (values.json === true) process.stdout.write(`${JSON.stringify(answer)}\n`);
  else process.stdout.write(answer.groups.length === 0 ? "no groups yet\n" : groupTable(answer.groups));
  return 0;
}

async function remove(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  const name = onlyName("group rm", positionals);
  const answer = await new ApiClient(values).ask("DELETE", ["groups", name]);
  process.stdout.write(values.json === true ? `${JSON.stringify(answer)}\n` : `${name} has ended here\n`);
  return 0;
}
