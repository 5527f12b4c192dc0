/** `tidemark mode GROUP MODE`. */
import { type GroupFacts, wantedModes } from "#src/control/role.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { modeOf } from "./volume.ts";

const help = `Usage: tidemark mode GROUP ${wantedModes.join("|")} [OPTION ...]

Switches how the writes of a group are acknowledged, live: hosts go on writing. A volume's name stands for its group.

sync   when the remote appliance has them: losing this site loses nothing that was flushed
async  when they are in the spool: the remote appliance follows, and its lag is shown
aggregated
       as in async, and what was overwritten meanwhile is not shipped: there are points where aggregates end, and at marks
auto   picks one of them by how quick the link is, and says why whenever it moves; it leaves sync when the link is lost

On the way to sync the group drains: what the remote still lacks is shipped first. 'tidemark status' shows when it is done.

${apiHelp}
Example:
  tidemark mode disk sync
`;

export const modeCommand: Command = {
  name: "mode",
  summary: "switch how writes are acknowledged",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, apiOptions);
    const [group, mode, ...more] = positionals;
    if (group === undefined || group === "" || mode === undefined || more.length > 0) {
      throw new UsageError(`mode takes a GROUP and ${wantedModes.join(" or ")}; 'tidemark mode --help' tells more`);
    }
    const api = new ApiClient(values);
    const facts = (await api.ask("PUT", ["groups", group, "mode"], { body: { mode: modeOf(mode) } })) as GroupFacts;
    process.stdout.write(values.json === true ? `${JSON.stringify(facts)}\n` : `${sentence(facts)}\n`);
    return 0;
  },
};

function sentence({ name, mode, wantedMode, why, lagRecords }: GroupFacts): string {
  if (mode === wantedMode) return `${name} is in ${mode}`;
  if (wantedMode === "auto") return `${name} is in ${mode}, and auto moves it from now on`;
  const backlog = lagRecords === 1 ? "a record is" : `${lagRecords} records are`;
  return `${name} is on its way to ${wantedMode}: ${why ?? `${backlog} to be shipped first`}`;
}
