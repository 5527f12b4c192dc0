/** `tidemark collect`. */
import type { JobReport } from "#src/control/job.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { followJob } from "./job-following.ts";

const help = `Usage: tidemark collect [--dry-run] [--no-wait] [OPTION ...]

Lets go of points that are older than store.retention.keepSeconds, and frees the room of blocks that no point needs any more.
It goes on beside writing, sealing and reading, gives way to them, and may be cancelled or cut off at any time: the next one
goes on. By itself it is done every store.collect.everySeconds. Room is free some time after the last read that may still
need it (store.collect.graceSeconds).

Shows how far it is on a terminal. Ctrl-C leaves it to go on by itself.

  --dry-run          only tells what would go, and why what stays stays
  --no-wait          answers as soon as it is begun
${apiHelp}
Example:
  tidemark collect --dry-run
`;

export const collectCommand: Command = {
  name: "collect",
  summary: "let go of what is not to be kept any more, and free its room",
  help,
  run: async (args) => {
    const options = { ...apiOptions, "dry-run": { type: "boolean" }, "no-wait": { type: "boolean" } } as const;
    const { values, positionals } = parseCommandLine(args, options);
    if (positionals.length > 0) throw new UsageError(`collect takes no '${positionals[0]}'`);
    const api = new ApiClient(values);
    const body = { dryRun: values["dry-run"] === true };
    const job = (await api.ask("POST", ["store", "collect"], { body })) as JobReport;
    return followJob(job, { api, asJson: values.json === true, isAwaited: values["no-wait"] !== true });
  },
};
