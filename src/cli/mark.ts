/** `tidemark mark GROUP`. */
import type { MarkReport, StatusReport } from "#src/control/control-plane.ts";
import type { MarkBody } from "#src/control/http/routes/groups.ts";
import { isName } from "#src/control/name.ts";
import { groupNamed } from "#src/control/named-group.ts";
import { markPatienceMsMax, nameCharactersMax, quiesceSecondsDefault } from "#src/core/limits.ts";
import { pointArrivalMs } from "#src/core/point-limits.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { environment } from "#src/host/node/environment.ts";
import { ApiClient, type Ask, apiHelp, apiOptions } from "./api-client.ts";
import { atRest } from "./at-rest.ts";
import { type Command, parseCommandLine, UsageError, wholeNumber } from "./command.ts";
import { whyNotThere } from "./mark-arrival.ts";

const withinSecondsMax = markPatienceMsMax / 1000;

const help = `Usage: tidemark mark GROUP [OPTION ...]

Names this moment of a group, so that it can be found again: a point of all its volumes together. It is told of when it is
as safe as what a host has flushed. A volume's name stands for its group.

It can be opened and restored when the remote appliance has it. That is waited for, ${pointArrivalMs / 1000} s at most, with applications at
work again; if it is on its way still, or the link is down, that is said, and the status is 0: the mark is set.

  --name NAME        what it is called (by default after the time)
  --quiesce COMMAND  brings applications to rest before it, here, by the shell: for example 'fsfreeze -f /mnt'
  --release COMMAND  takes them up again: it is run whatever happens, also if this command is interrupted or killed
  --within SECONDS   so long applications may be at rest, the quiesce command included
                     (${quiesceSecondsDefault}, and ${withinSecondsMax} at most)
  --no-wait          does not wait for the remote appliance

If no mark is there in that time, as safe as a flush, the status is 1; there will be none later, unless what is said then
leaves that open. Both commands find TIDEMARK_GROUP and TIDEMARK_MARK in their environment. They must be given together.

${apiHelp}
Example:
  tidemark mark disk --name before-upgrade --quiesce 'fsfreeze -f /mnt' --release 'fsfreeze -u /mnt'
`;

const options = {
  ...apiOptions,
  name: { type: "string" },
  quiesce: { type: "string" },
  release: { type: "string" },
  "no-wait": { type: "boolean" },
  within: { type: "string", default: String(quiesceSecondsDefault) },
} as const;

export const markCommand: Command = {
  name: "mark",
  summary: "name this moment, with applications at rest",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, options);
    const [group, ...more] = positionals;
    if (group === undefined || group === "" || more.length > 0)
      throw new UsageError("mark takes one GROUP; 'tidemark mark --help' tells more");
    const withinMs = wholeNumber(values.within, "--within", { min: 1, max: withinSecondsMax }) * 1000;
    const name = values.name ?? nameByTime(nodeClock.wallMs());
    if (!isName(name))
      throw new UsageError(`--name takes 1 to ${nameCharactersMax} letters, digits, '.', '_' or '-', not '${name}'`);
    const { quiesce, release } = values;
    if ((quiesce === undefined) !== (release === undefined))
      throw new UsageError("--quiesce and --release are given together: what rests has to be taken up again");
    const api = new ApiClient(values);
    const mark = (body: Omit<MarkBody, "name">, more: Pick<Ask, "signal"> = {}) =>
      api.ask("POST", ["groups", group, "marks"], { body: { name, ...body }, ...more }) as Promise<MarkReport>;
    const aheadMs = quiesce === undefined ? undefined : await checkGroup(api, group);
    const env = { ...environment(), TIDEMARK_GROUP: group, TIDEMARK_MARK: name };
    const report =
      quiesce === undefined || release === undefined
        ? await mark({ withinMilliseconds: withinMs })
        : await atRest(
            { quiesce, release, withinMs, env },
            {
              act: (leftMs, signal) => mark(restBody(leftMs, aheadMs), { signal }),
              sentence: (placed) => `there is a mark, ${sentence(placed)}`,
            },
          );
    await tell(api, report, { asJson: values.json === true, isAwaited: values["no-wait"] !== true });
    return 0;
  },
};

/** Applications are at work again meanwhile. */
async function tell(api: ApiClient, report: MarkReport, how: { asJson: boolean; isAwaited: boolean }): Promise<void> {
  // Whoever does not want to wait any more has seen that there is one.
  if (!how.asJson) process.stdout.write(`${sentence(report)}\n`);
  const whyNot = how.isAwaited ? await whyNotThere(api, report) : undefined;
  const arrived = how.isAwaited ? { arrived: whyNot === undefined } : {};
  if (how.asJson) process.stdout.write(`${JSON.stringify({ ...report, ...arrived })}\n`);
  if (whyNot !== undefined) process.stderr.write(`tidemark: ${whyNot}\n`);
}

/** The appliance's clock goes on while the request is on its way, or lies there unread. */
function restBody(leftMs: number, aheadMs: number | undefined): Omit<MarkBody, "name"> {
  const endMs = aheadMs === undefined ? undefined : Math.floor(nodeClock.monotonicMs() + leftMs + aheadMs);
  const notAfter = endMs === undefined ? {} : { notAfterMilliseconds: endMs };
  return { quiesced: true, withinMilliseconds: leftMs, ...notAfter };
}

/**
 * Nothing is brought to rest for a slip of the pen. Answers by how much the appliance's clock is ahead of ours, or more than
 * that behind; undefined: it is of a version that does not tell.
 */
async function checkGroup(api: ApiClient, name: string): Promise<number | undefined> {
  const status = (await api.ask("GET", ["status"])) as StatusReport & Partial<Pick<StatusReport, "clockMilliseconds">>;
  const { roles, groups, clockMilliseconds } = status;
  const aheadMs = clockMilliseconds === undefined ? undefined : clockMilliseconds - nodeClock.monotonicMs();
  if (!roles.includes("local")) {
    throw new Error("marks are the local appliance's, which does not run there: name its API, with --api URL");
  }
  try {
    groupNamed(groups, name);
  } catch (error) {
    throw new Error(`${(error as Error).message}; nothing was brought to rest`, { cause: error });
  }
  return aheadMs;
}

function nameByTime(wallMs: number): string {
  return `mark-${new Date(wallMs).toISOString().replaceAll(":", "")}`;
}

function sentence({ name, group, seq, time, quiesced }: MarkReport): string {
  return `${name} in ${group}, at seq ${seq}, ${time}${quiesced ? ", with applications at rest" : ""}`;
}
