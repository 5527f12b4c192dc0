/** `tidemark group ls|rm|forget`. */
import type { GroupReport } from "#src/control/readiness.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { groupTable } from "./status.ts";
import { onlyName } from "./volume.ts";

const help = `Usage: tidemark group ls [OPTION ...]
       tidemark group rm NAME [OPTION ...]
       tidemark group forget GROUP VOLUME --confirm VOLUME [OPTION ...]

A group begins with its first volume, and outlives its last one: a volume that is added to it later goes on with its order.

ls      lists the groups.
rm      ends a group without volumes, as soon as the remote appliance has all of it. What it has there stays there.
forget  ends the wait of a group for a volume that nobody has any more, since the data folder of its interceptor is lost: until then
        no mark can be set, and what its source may lack stays in the spool. It cannot come back after that; the source is added
        again, and copied. 'volume rm' does the same by itself.

With forget:
  --confirm VOLUME   the volume's name once more

With all of them:
${apiHelp}
Example:
  tidemark volume rm disk --confirm disk
  tidemark group rm disk
  tidemark group forget bank disk --confirm disk --api http://127.0.0.1:7880
`;

export const groupCommand: Command = {
  name: "group",
  summary: "list groups, end those without volumes, and forget volumes that are lost",
  help,
  run: async ([action, ...rest]) => {
    if (action === "ls") return list(rest);
    if (action === "rm") return remove(rest);
    if (action === "forget") return forget(rest);
    const not = action === undefined ? "" : `, not '${action}'`;
    throw new UsageError(`group is followed by ls, rm or forget${not}; 'tidemark group --help' tells more`);
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

async function forget(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, { ...apiOptions, confirm: { type: "string" } });
  const [group, volume, ...more] = positionals;
  if (group === undefined || volume === undefined || more.length > 0) {
    throw new UsageError("group forget takes a GROUP and a VOLUME; --help tells more");
  }
  const { confirm } = values;
  const answer = await new ApiClient(values).ask("DELETE", ["groups", group, "volumes", volume], { confirm });
  process.stdout.write(
    values.json === true ? `${JSON.stringify(answer)}\n` : `${group} does not wait for ${volume} any more\n`,
  );
  return 0;
}
