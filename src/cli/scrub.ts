/** `tidemark scrub`. */
import type { JobReport } from "#src/control/job.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { followJob } from "./job-following.ts";

const help = `Usage: tidemark scrub [--no-wait] [--anew] [OPTION ...]

Reads all that the store has, what was not read for longest first, checks it, and repairs what it can: a bit that has turned, a
block of which there is a second copy. What it cannot repair it names, with whom that hurts. It goes on where the last one
ended, beside writing and sealing, at store.scrub.bytesPerSecond at most. By itself it is done every
store.scrub.everySeconds.

Shows how far it is on a terminal. Ctrl-C leaves it to go on by itself. The exit status is 1 where something is damaged.

  --no-wait          answers as soon as it is begun
  --anew             from the beginning on, wherever the last one ended
${apiHelp}
Example:
  tidemark scrub
`;

export const scrubCommand: Command = {
  name: "scrub",
  summary: "read, check and repair all that the store has",
  help,
  run: async (args) => {
    const options = { ...apiOptions, "no-wait": { type: "boolean" }, anew: { type: "boolean" } } as const;
    const { values, positionals } = parseCommandLine(args, options);
    if (positionals.length > 0) throw new UsageError(`scrub takes no '${positionals[0]}'`);
    const api = new ApiClient(values);
    const body = { anew: values.anew === true };
    const job = (await api.ask("POST", ["store", "scrub"], { body })) as JobReport;
    return followJob(job, { api, asJson: values.json === true, isAwaited: values["no-wait"] !== true });
  },
};
