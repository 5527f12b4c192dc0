/** `tidemark view open|ls|close`. */
import type { ViewFacts } from "#src/control/view.ts";
import { formatByteSize } from "#src/core/byte-size.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { tellPoint } from "./point-told.ts";
import { type Column, table } from "./table.ts";
import { promote } from "./view-promote.ts";
import { onlyName } from "./volume.ts";

const help = `Usage: tidemark view open VOLUME@POINT [--writable] [--name NAME] [--since POINT] [OPTION ...]
       tidemark view open NAME [OPTION ...]
       tidemark view ls [OPTION ...]
       tidemark view close NAME [--keep | --discard] [OPTION ...]
       tidemark view promote NAME VOLUME --source PATH [OPTION ...]

A view is a point of a volume as an NBD export: the volume as it was then, at once, without copying. The point never changes; what
is written to a writable view goes aside. While a view is there its point, and all later ones, are kept.

POINT: now (the last record durable at the remote appliance), seq:123, an ISO time, -5m, mark:NAME, snap:SEQ.

open   opens a view and prints its URI; with the NAME of one that was put away that one
ls     lists all
close  hangs up on its clients. What was written to it is thrown away with --discard, and kept with --keep
promote  makes a volume of it: puts it away, copies what it has, with what was written to it, to a new file, protects that as
       VOLUME, and closes the view. Nobody may be attached to it. The copy is a job, which goes on whatever becomes of this command;
       the same command again waits for it, and makes the volume

  --writable         it may be written to
  --name NAME        of its export (VOLUME-SEQ)
  --since POINT      what was written since then (or up to then) is told by a metadata context of the export,
                     qemu:dirty-bitmap:NAME, with the mark's name or seq-N; NAME=POINT names it; may be repeated
  --keep             puts it away with what was written to it, until 'view open NAME'
  --discard          throws away what was written to it

With promote:
  --source PATH      the new file, on the machine of both the interceptor and the remote appliance
  --at URL           the interceptor's control API, where that is on another machine than the remote appliance: this command has to
                     run there, and makes the copy itself. The same command again begins a copy anew that was not whole, and goes
                     on with one that was
  --group GROUP      the group that the volume joins (a group of its own)
  --mode MODE        of a group that begins with it
  --keep-view        opens the view again
${apiHelp}
Example:
  nbdcopy "$(tidemark view open disk@-5m)" disk-five-minutes-ago.img
`;

export const viewCommand: Command = {
  name: "view",
  summary: "open points of a volume as NBD exports, list and close them",
  help,
  run: async ([action, ...rest]) => {
    if (action === "open") return open(rest);
    if (action === "ls") return list(rest);
    if (action === "close") return close(rest);
    if (action === "promote") return promote(rest);
    const not = action === undefined ? "" : `, not '${action}'`;
    throw new UsageError(`view is followed by open, ls, close or promote${not}; 'tidemark view --help' tells more`);
  },
};

async function open(args: readonly string[]): Promise<number> {
  const options = {
    ...apiOptions,
    writable: { type: "boolean" },
    name: { type: "string" },
    since: { type: "string", multiple: true },
  } as const;
  const { values, positionals } = parseCommandLine(args, options);
  const wanted = onlyName("view open", positionals, "VOLUME@POINT");
  const api = new ApiClient(values);
  const at = wanted.indexOf("@");
  let view: ViewFacts;
  if (at < 0) {
    if (values.writable === true || values.name !== undefined || values.since !== undefined) {
      throw new UsageError(`which point of '${wanted}'? view open takes VOLUME@POINT, or the name of a view alone`);
    }
    view = (await api.ask("POST", ["views", wanted, "open"], { body: {} })) as ViewFacts;
  } else {
    const body = {
      ...{ volume: wanted.slice(0, at), point: wanted.slice(at + 1), writable: values.writable === true },
      ...(values.name === undefined ? {} : { name: values.name }),
      ...(values.since === undefined ? {} : { since: values.since.join(",") }),
    };
    view = (await api.ask("POST", ["views"], { body })) as ViewFacts;
  }
  process.stdout.write(values.json === true ? `${JSON.stringify(view)}\n` : `${view.uri}\n`);
  if (values.json !== true) tellPoint(view);
  for (const finding of view.findings) process.stderr.write(`damaged: ${finding}\n`);
  return 0;
}

async function list(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  if (positionals.length > 0) throw new UsageError(`view ls takes no '${positionals[0]}'`);
  const answer = (await new ApiClient(values).ask("GET", ["views"])) as { readonly views: readonly ViewFacts[] };
  if (values.json === true) process.stdout.write(`${JSON.stringify(answer)}\n`);
  else process.stdout.write(answer.views.length === 0 ? "no views\n" : table(answer.views, columns));
  return 0;
}

const columns: readonly Column<ViewFacts>[] = [
  { title: "VIEW", text: ({ name }) => name },
  { title: "VOLUME", text: ({ volume }) => volume },
  { title: "SEQ", isNumber: true, text: ({ seq }) => String(seq) },
  { title: "TIME", text: ({ time }) => time },
  { title: "STATE", text: stateText },
  { title: "CLIENTS", isNumber: true, text: ({ connections }) => String(connections) },
  {
    title: "WRITTEN",
    isNumber: true,
    text: writtenText,
  },
  { title: "URI", text: ({ uri }) => uri },
];

/** Of one that is not open nobody says how much it is. */
function writtenText({ writable, state, writtenBytes }: ViewFacts): string {
  if (!writable) return "read-only";
  return state === "open" ? formatByteSize(writtenBytes) : "not known";
}

function stateText({ state, leased, why, findings }: ViewFacts): string {
  const [first, ...others] = findings;
  const damage =
    first === undefined ? [] : [`damaged: ${first}${others.length === 0 ? "" : `, and ${others.length} more`}`];
  const words = [state, ...(leased ? ["as long as its command runs"] : []), ...damage].join(", ");
  return why === undefined ? words : `${words}: ${why}`;
}

async function close(args: readonly string[]): Promise<number> {
  const options = { ...apiOptions, keep: { type: "boolean" }, discard: { type: "boolean" } } as const;
  const { values, positionals } = parseCommandLine(args, options);
  const name = onlyName("view close", positionals, "NAME");
  if (values.keep === true && values.discard === true) throw new UsageError("choose between --keep and --discard");
  const flags = [...(values.keep === true ? ["keep"] : []), ...(values.discard === true ? ["discard"] : [])];
  const answer = await new ApiClient(values).ask("DELETE", ["views", name], { flags });
  const text = values.keep === true ? `view ${name} is put away` : `view ${name} is closed`;
  process.stdout.write(values.json === true ? `${JSON.stringify(answer)}\n` : `${text}\n`);
  return 0;
}
