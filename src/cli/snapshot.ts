/** `tidemark snapshot create|ls|rm|inspect`. */
import type { MadeSnapshot, SnapshotFacts } from "#src/control/snapshot-facts.ts";
import { roundedByteSize } from "#src/core/byte-size.ts";
import { snapshotPatienceSeconds, snapshotPatienceSecondsMax } from "#src/core/store-limits.ts";
import { type SnapshotDescriptionItem, snapshotLine } from "#src/synth/snapshot-description.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError, wholeNumber } from "./command.ts";
import { orderSnapshot } from "./snapshot-order.ts";
import { type Column, table } from "./table.ts";
import { onlyName } from "./volume.ts";

const help = `Usage: tidemark snapshot create VOLUME[@POINT] [OPTION ...]
       tidemark snapshot ls VOLUME [OPTION ...]
       tidemark snapshot inspect VOLUME SEQ [OPTION ...]
       tidemark snapshot rm VOLUME SEQ [OPTION ...]

A snapshot says where each block of all volumes of a group lay after one record, as pointers: to new data in the journals, and
for the rest into earlier snapshots. No source is read for it, and no data is read or copied. Any point can be opened without;
the nearer a snapshot before it is, the sooner. They are made by themselves (store.snapshots).

create   makes one, of the newest record that has come, or of a POINT: seq:123, an ISO time, -5m, mark:NAME. What it needs is
         sealed first, which goes on where nobody waits for it any more. It stays a point whatever the level of its age
ls       lists those of the volume's group; SEQ is the last record that is in it
inspect  counts its pointers by what they point to
rm       lets go of one; its room is freed by 'tidemark collect', once no other one points into it

  --within SECONDS   so long 'create' waits at most (${snapshotPatienceSeconds})
${apiHelp}
Example:
  tidemark snapshot create disk@mark:before-upgrade
`;

const createOptions = {
  ...apiOptions,
  within: { type: "string", default: String(snapshotPatienceSeconds) },
} as const;

export const snapshotCommand: Command = {
  name: "snapshot",
  summary: "make snapshots of pointers, list, inspect and remove them",
  help,
  run: async ([action, ...rest]) => {
    if (action === "create") return create(rest);
    if (action === "ls") return list(rest);
    if (action === "inspect") return inspect(rest);
    if (action === "rm") return remove(rest);
    const not = action === undefined ? "" : `, not '${action}'`;
    throw new UsageError(
      `snapshot is followed by create, ls, inspect or rm${not}; 'tidemark snapshot --help' tells more`,
    );
  },
};

async function create(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, createOptions);
  const range = { min: 1, max: snapshotPatienceSecondsMax };
  const patienceSeconds = wholeNumber(values.within, "--within", range);
  const wanted = onlyName("snapshot create", positionals, "VOLUME[@POINT]");
  const at = wanted.indexOf("@");
  const volume = at < 0 ? wanted : wanted.slice(0, at);
  const point = at < 0 ? undefined : wanted.slice(at + 1);
  const made = await orderSnapshot(new ApiClient(values), { volume, point, patienceSeconds });
  process.stdout.write(values.json === true ? `${JSON.stringify(made)}\n` : madeText(made));
  return 0;
}

function madeText({ seq, time, isNew, seconds, sizeBytes = 0, pointersToJournal, pointersToSnapshots }: MadeSnapshot) {
  if (!isNew) return `snapshot ${seq}, of ${time}, was there already\n`;
  const pointers = `${pointersToJournal} pointers into journals and ${pointersToSnapshots} into earlier snapshots`;
  return `snapshot ${seq}, of ${time}: ${pointers}, ${roundedByteSize(sizeBytes)}, in ${seconds.toFixed(2)} s\n`;
}

async function list(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  const volume = onlyName("snapshot ls", positionals, "VOLUME");
  const answer = await new ApiClient(values).ask("GET", ["volumes", volume, "snapshots"]);
  const { snapshots } = answer as { readonly snapshots: readonly SnapshotFacts[] };
  if (values.json === true) process.stdout.write(`${JSON.stringify(answer)}\n`);
  else process.stdout.write(snapshots.length === 0 ? "no snapshots yet\n" : table(snapshots, columns));
  return 0;
}

const columns: readonly Column<SnapshotFacts>[] = [
  { title: "SEQ", isNumber: true, text: ({ seq }) => String(seq) },
  { title: "TIME", text: ({ time }) => time ?? "" },
  {
    title: "SIZE",
    isNumber: true,
    text: ({ sizeBytes }) => (sizeBytes === undefined ? "" : roundedByteSize(sizeBytes)),
  },
  { title: "INTO JOURNALS", isNumber: true, text: ({ pointersToJournal }) => String(pointersToJournal ?? "") },
  { title: "INTO SNAPSHOTS", isNumber: true, text: ({ pointersToSnapshots }) => String(pointersToSnapshots ?? "") },
  { title: "NEEDS", isNumber: true, text: ({ pointsInto }) => String(pointsInto?.length ?? "") },
  { title: "", text: remarkOf },
];

function remarkOf({ isFirst, isAsked, heldBy, point, damage }: SnapshotFacts): string {
  const remarks = [
    ...(damage === undefined ? [] : [`DAMAGED: ${damage}`]),
    ...(isFirst ? ["the history begins with it"] : []),
    ...(isAsked ? ["asked for"] : []),
    ...(point === false ? ["the volume has no point there"] : []),
    ...(heldBy.length === 0 ? [] : [`held by ${heldBy.join(", ")}`]),
  ];
  return remarks.join("; ");
}

async function inspect(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  const [volume, seq] = volumeAndSeq("snapshot inspect", positionals);
  const answer = await new ApiClient(values).ask("GET", ["volumes", volume, "snapshots", seq]);
  const { items } = answer as { readonly items: readonly SnapshotDescriptionItem[] };
  const text = items.map((item) => `${snapshotLine(item)}\n`).join("");
  process.stdout.write(values.json === true ? `${JSON.stringify(answer)}\n` : text);
  return items.some(({ kind }) => kind === "flaw") ? 1 : 0;
}

async function remove(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  const [volume, seq] = volumeAndSeq("snapshot rm", positionals);
  const answer = await new ApiClient(values).ask("DELETE", ["volumes", volume, "snapshots", seq]);
  process.stdout.write(values.json === true ? `${JSON.stringify(answer)}\n` : `snapshot ${seq} is let go of\n`);
  return 0;
}

function volumeAndSeq(command: string, positionals: readonly string[]): [volume: string, seq: string] {
  const [volume, seq, ...more] = positionals;
  if (volume === undefined || seq === undefined || more.length > 0) {
    throw new UsageError(
      `${command} takes a VOLUME and the SEQ of a snapshot; 'tidemark snapshot ls VOLUME' lists them`,
    );
  }
  return [volume, seq.replace(/^snap:/, "")];
}
