/** `tidemark verify [store]`. */
import type { JobReport } from "#src/control/job.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { followJob } from "./job-following.ts";

const help = `Usage: tidemark verify [store] [--no-wait] [OPTION ...]

Looks whether the store contradicts itself: the chains of the journals' pieces, the segments' directories and what they
count, and whether each forward leads to a segment that is there. It reads no blocks, so it is quick; that these are what was
written is for 'tidemark scrub'.

Shows how far it is on a terminal. Ctrl-C leaves it to go on by itself. The exit status is 1 where something was found.

  --no-wait          answers as soon as it is begun
${apiHelp}
Example:
  tidemark verify store
`;

export const verifyCommand: Command = {
  name: "verify",
  summary: "look whether the store contradicts itself",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, { ...apiOptions, "no-wait": { type: "boolean" } });
    // The store is all that there is to verify; whoever types it out means the same.
    const [what = "store", ...more] = positionals;
    if (what !== "store" || more.length > 0) {
      throw new UsageError(`verify takes no '${positionals.join(" ")}'; 'tidemark verify --help' tells more`);
    }
    const api = new ApiClient(values);
    const job = (await api.ask("POST", ["store", "verify"], { body: {} })) as JobReport;
    return followJob(job, { api, asJson: values.json === true, isAwaited: values["no-wait"] !== true });
  },
};
