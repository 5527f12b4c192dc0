/** `tidemark index rebuild`. */
import type { JobReport } from "#src/control/job.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { followJob } from "./job-following.ts";

const help = `Usage: tidemark index rebuild [--no-wait] [OPTION ...]

Sets the index of the store aside and makes it anew, of the segments' directories. It is never needed for reading, and one
that is lost or damaged is made anew by itself; this is for one that nobody trusts any more. Until it is done, blocks
that the store has already may be kept once more.

Shows how far it is on a terminal. Ctrl-C leaves it to go on by itself.

  --no-wait          answers as soon as it is begun
${apiHelp}
Example:
  tidemark index rebuild
`;

export const indexCommand: Command = {
  name: "index",
  summary: "make the index of the store anew",
  help,
  run: async ([action, ...rest]) => {
    const not = action === undefined ? "" : `, not '${action}'`;
    if (action !== "rebuild")
      throw new UsageError(`index is followed by rebuild${not}; 'tidemark index --help' tells more`);
    const { values, positionals } = parseCommandLine(rest, { ...apiOptions, "no-wait": { type: "boolean" } });
    if (positionals.length > 0) throw new UsageError(`index rebuild takes no '${positionals[0]}'`);
    const api = new ApiClient(values);
    const job = (await api.ask("POST", ["store", "index", "rebuild"], { body: {} })) as JobReport;
    return followJob(job, { api, asJson: values.json === true, isAwaited: values["no-wait"] !== true });
  },
};
