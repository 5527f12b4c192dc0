/** `tidemark drill`. */
import type { DrillReport, DrillsReport } from "#src/control/drill.ts";
import { textCharactersMax } from "#src/control/http/schema.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError, wholeNumber } from "./command.ts";
import { noPointAnyMore } from "./points.ts";
import { type Column, table } from "./table.ts";
import { commandText, tryOnView } from "./view-trial.ts";

const withinSecondsMax = 86_400;

const help = `Usage: tidemark drill VOLUME [--at POINT] [OPTION ...] -- COMMAND [ARGUMENT ...]
       tidemark drill ls [OPTION ...]

A recovery test: opens a point as a writable view while replication goes on, runs the command here on it, and throws away what was
written. If the command ends with status 0 in time the point is proven, otherwise it has failed; both are kept, and listed by 'drill
ls'. By itself the remote appliance does so where drills.everySeconds and drills.command are set. A point that cannot be told since records
are lost has failed too.

The command finds TIDEMARK_URI (of the view), TIDEMARK_VIEW, TIDEMARK_VOLUME, TIDEMARK_SEQ and TIDEMARK_TIME in its environment. A
command of one word is a line for the shell. The exit status is 1 where the point has failed.

  --at POINT         now, seq:123, an ISO time, -5m, mark:NAME, snap:SEQ (now)
  --within SECONDS   so long the command may take (3600)
${apiHelp}
Example:
  tidemark drill disk --at mark:nightly -- sh -c 'nbdcopy "$TIDEMARK_URI" /tmp/disk.img && e2fsck -fy /tmp/disk.img'
`;

const options = {
  ...apiOptions,
  at: { type: "string", default: "now" },
  within: { type: "string", default: "3600" },
} as const;

export const drillCommand: Command = {
  name: "drill",
  summary: "test the recovery of a point on a writable view",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, options);
    const [volume, ...words] = positionals;
    const api = new ApiClient(values);
    const asJson = values.json === true;
    if (volume === "ls" && words.length === 0) return list(api, asJson);
    if (volume === undefined || words.length === 0) {
      throw new UsageError("drill takes VOLUME and a COMMAND behind --, or ls; 'tidemark drill --help' tells more");
    }
    const command = commandText(words);
    // What came of it could not be noted.
    if (command.length > textCharactersMax) {
      throw new UsageError(
        `a command has at most ${textCharactersMax} characters: put this one into a file, and name that`,
      );
    }
    const withinMs = wholeNumber(values.within, "--within", { min: 1, max: withinSecondsMax }) * 1000;
    return drill(api, { volume, point: values.at, isNearest: false, command, withinMs }, asJson);
  },
};

async function drill(api: ApiClient, order: Parameters<typeof tryOnView>[1], asJson: boolean): Promise<number> {
  let report: DrillReport | undefined;
  let isOpened = false;
  const shouldRun = (): boolean => {
    isOpened = true;
    return true;
  };
  const over = async ({ view, ending, durationMs }: Awaited<ReturnType<typeof tryOnView>>): Promise<void> => {
    const why = ending?.why;
    const body = {
      ...{ view: view.name, outcome: why === undefined ? "proven" : "failed", command: order.command },
      ...{ milliseconds: durationMs, ...(why === undefined ? {} : { why }) },
    };
    report = (await api.ask("POST", ["drills"], { body })) as DrillReport;
  };
  try {
    await tryOnView(api, order, { shouldRun, over });
  } catch (error) {
    if (isOpened) throw error;
    report = await refused(api, order, error);
  }
  if (report === undefined) throw new Error("nothing came of the drill");
  process.stdout.write(asJson ? `${JSON.stringify(report)}\n` : reportText(report));
  return report.outcome === "proven" ? 0 : 1;
}

/** A point that is lost has failed; whatever else is against a view of it says nothing of the point. */
async function refused(api: ApiClient, order: Parameters<typeof tryOnView>[1], error: unknown): Promise<DrillReport> {
  const { volume, point, command } = order;
  try {
    return (await api.ask("POST", ["drills", "refused"], { body: { volume, point, command } })) as DrillReport;
  } catch {
    throw error;
  }
}

function reportText({ volume, seq, time, outcome, why, seconds }: DrillReport): string {
  if (seq === undefined) return `a drill of ${volume} has failed, no point could be opened: ${why}\n`;
  const what = outcome === "proven" ? "is proven" : `has failed: ${why}`;
  return `seq:${seq} of ${volume} (${time}) ${what}; the command took ${seconds} s\n`;
}

async function list(api: ApiClient, asJson: boolean): Promise<number> {
  const answer = (await api.ask("GET", ["drills"])) as DrillsReport;
  process.stdout.write(asJson ? `${JSON.stringify(answer)}\n` : drillsText(answer));
  return 0;
}

export function drillsText({ drills, waiting }: DrillsReport): string {
  const said = waiting.map(
    ({ volume, group, why }) => `volume ${volume} of group ${group} is drilled from its first point on: ${why}\n`,
  );
  return `${drills.length === 0 ? "no drills yet\n" : table(drills, columns)}${said.join("")}`;
}

const columns: readonly Column<DrillReport>[] = [
  { title: "DRILL", isNumber: true, text: ({ id }) => String(id) },
  { title: "STARTED", text: ({ started }) => started },
  { title: "VOLUME", text: ({ volume }) => volume },
  { title: "SEQ", isNumber: true, text: ({ seq }) => String(seq ?? "-") },
  { title: "TIME", text: ({ time = "-" }) => time },
  { title: "OUTCOME", text: ({ outcome, why }) => (why === undefined ? outcome : `${outcome}: ${why}`) },
  { title: "SECONDS", isNumber: true, text: ({ seconds }) => seconds.toFixed(1) },
  { title: "BY", text: ({ by }) => by },
  { title: "", text: ({ point }) => (point === false ? noPointAnyMore : "") },
];
