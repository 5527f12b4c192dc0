/** `tidemark job ls|show|cancel`. */
import type { JobReport } from "#src/control/job.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { endedText, followJob } from "./job-following.ts";
import { progressLine } from "./progress-line.ts";
import { type Column, table } from "./table.ts";
import { onlyName } from "./volume.ts";

const help = `Usage: tidemark job ls [OPTION ...]
       tidemark job show ID [--wait] [OPTION ...]
       tidemark job cancel ID [OPTION ...]

Long works are jobs of the remote appliance. Of those over the store one is done at a time, beside what is sealed; restores go on
beside it. All go on after a restart.

ls      lists what waits, what is under way, and what became of the last ones
show    tells of one; with --wait when it is over. Its exit status is 0 unless it failed, was cancelled, or found what
        somebody must see
cancel  ends one that waits or is under way, where it is safe: what it has done stays, and the same restore again goes on from there

${apiHelp}
Example:
  tidemark job show 12 --wait
`;

export const jobCommand: Command = {
  name: "job",
  summary: "list, show and cancel long works",
  help,
  run: async ([action, ...rest]) => {
    if (action === "ls") return list(rest);
    if (action === "show") return show(rest);
    if (action === "cancel") return cancel(rest);
    const not = action === undefined ? "" : `, not '${action}'`;
    throw new UsageError(`job is followed by ls, show or cancel${not}; 'tidemark job --help' tells more`);
  },
};

async function list(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  if (positionals.length > 0) throw new UsageError(`job ls takes no '${positionals[0]}'`);
  const answer = (await new ApiClient(values).ask("GET", ["jobs"])) as { readonly jobs: readonly JobReport[] };
  if (values.json === true) process.stdout.write(`${JSON.stringify(answer)}\n`);
  else process.stdout.write(answer.jobs.length === 0 ? "no jobs yet\n" : table(answer.jobs, columns));
  return 0;
}

const columns: readonly Column<JobReport>[] = [
  { title: "JOB", isNumber: true, text: ({ id }) => String(id) },
  { title: "KIND", text: ({ kind, dryRun }) => (dryRun ? `${kind} (dry run)` : kind) },
  { title: "BY", text: ({ by }) => by },
  { title: "STATE", text: ({ state, result }) => (result?.isSound === false ? `${state}, with findings` : state) },
  { title: "MADE", text: ({ made }) => made },
  { title: "ENDED", text: ({ ended }) => ended ?? "" },
  { title: "", text: ({ progress, why }) => (progress === undefined ? (why ?? "") : progressLine(progress, 100)) },
];

async function show(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, { ...apiOptions, wait: { type: "boolean" } });
  const id = onlyName("job show", positionals, "ID");
  const api = new ApiClient(values);
  const job = (await api.ask("GET", ["jobs", id])) as JobReport;
  if (values.wait === true) return followJob(job, { api, asJson: values.json === true, isAwaited: true });
  if (values.json === true) process.stdout.write(`${JSON.stringify(job)}\n`);
  else process.stdout.write(jobText(job));
  const isBad = job.state === "failed" || job.state === "cancelled" || job.result?.isSound === false;
  return isBad ? 1 : 0;
}

function jobText(job: JobReport): string {
  return job.progress === undefined ? endedText(job) : `${endedText(job)}  ${progressLine(job.progress, 120)}\n`;
}

async function cancel(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  const id = onlyName("job cancel", positionals, "ID");
  const job = (await new ApiClient(values).ask("DELETE", ["jobs", id])) as JobReport;
  const text = job.state === "cancelled" ? `job ${id} is cancelled` : `job ${id} ends as soon as it is safe`;
  process.stdout.write(values.json === true ? `${JSON.stringify(job)}\n` : `${text}\n`);
  return 0;
}
