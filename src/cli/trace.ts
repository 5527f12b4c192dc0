/** `tidemark trace VOLUME`: the life of single writes. */
import { type TraceEntry, type TraceStep, traceSteps } from "#src/control/role.ts";
import { roundedByteSize } from "#src/core/byte-size.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine } from "./command.ts";
import { type Column, table } from "./table.ts";
import { onlyName } from "./volume.ts";

const help = `Usage: tidemark trace VOLUME [OPTION ...]

Shows the life of single writes, a few of all: after how many microseconds the appliance had acknowledged it, it was in the
source, the host was replied to, and the remote appliance had received it, had it durably, had it in its store. The first
call begins to look; the next ones show what was seen.

${apiHelp}
Example:
  tidemark trace disk; sleep 5; tidemark trace disk
`;

const titles: Readonly<Record<TraceStep, string>> = {
  acknowledged: "ACKNOWLEDGED",
  sourceWritten: "IN SOURCE",
  replied: "REPLIED",
  received: "RECEIVED",
  durable: "DURABLE",
  stored: "STORED",
};

const columns: readonly Column<TraceEntry>[] = [
  { title: "TIME", text: (entry) => new Date(entry.atWallMs).toISOString() },
  { title: "SEQ", isNumber: true, text: (entry) => String(entry.seq ?? "") },
  { title: "KIND", text: (entry) => entry.kind },
  { title: "AT", isNumber: true, text: (entry) => String(entry.offsetBytes) },
  { title: "LENGTH", isNumber: true, text: (entry) => roundedByteSize(entry.lengthBytes) },
  ...traceSteps.map((step) => ({
    title: titles[step],
    isNumber: true,
    text: ({ steps }: TraceEntry) => (steps[step] === undefined ? "" : String(Math.round(steps[step]))),
  })),
];

export const traceCommand: Command = {
  name: "trace",
  summary: "show the life of single writes",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, apiOptions);
    const name = onlyName("trace", positionals);
    const answer = await new ApiClient(values).ask("GET", ["volumes", name, "trace"]);
    const { entries } = answer as { readonly entries: readonly TraceEntry[] };
    if (values.json === true) process.stdout.write(`${JSON.stringify(answer)}\n`);
    else if (entries.length === 0)
      process.stdout.write("nothing was seen yet: from now on a few writes are looked at\n");
    else process.stdout.write(table(entries, columns));
    return 0;
  },
};
