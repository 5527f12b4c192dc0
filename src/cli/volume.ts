/** `tidemark volume add|ls|rm|resize|unfence|resync|move-spool`. */
import { resolve } from "node:path";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { type CopyProgress, wantedModes } from "#src/control/role.ts";
import type { SpoolMove } from "#src/control/spool-move.ts";
import type { VolumeRemoval } from "#src/control/volume-keeper.ts";
import { parseByteSize, roundedByteSize } from "#src/core/byte-size.ts";
import { workingFolder } from "#src/host/node/environment.ts";
import { isNbdUri } from "#src/nbd/uri.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { type Column, table } from "./table.ts";

const help = `Usage: tidemark volume add NAME --source PATH|NBD-URI [OPTION ...]
       tidemark volume ls [OPTION ...]
       tidemark volume rm NAME --confirm NAME [--force] [OPTION ...]
       tidemark volume resize NAME SIZE [--confirm NAME] [OPTION ...]
       tidemark volume unfence NAME [OPTION ...]
       tidemark volume resync NAME [OPTION ...]
       tidemark volume move-spool NAME [--to FOLDER] [OPTION ...]

add      protects a source: every write that a host makes through the volume's export is kept. A name has letters, digits,
         '.', '_' and '-'.
ls       lists the volumes.
rm       ends the protection. The source stays as it is, and so do the journals; protecting it again begins with a copy
         of all of it. A volume that hosts have attached is removed only with --force, which cuts them off.
resize   gives a volume another size, and its source too where that is a file; a disk or an export must have it before.
         Hosts are hung up on, and find the new size when they attach again. A volume is made smaller only while no host
         has it attached; what was behind its new end is in older points alone.
unfence  takes a volume back to work whose source had failed and is whole again: what it may lack is written to it first.
resync   copies all of a volume's source into the journal again: where somebody else has written to it, or put an old image
         of it back. No point lies in that time.
move-spool  begins a new spool for the volume's group, whose old one is lost, damaged, or an old copy that the remote
         appliance refuses. What the remote may lack is copied from the sources; the old files are left as they are.

With add:
  --source SOURCE    a file, a block device, or an export of an NBD server (nbd://host/export, nbd+unix:///export?socket=PATH)
  --size SIZE        makes the source first, a sparse file of this size: 512M, 10G
  --group GROUP      the volumes of a group have one order of writes (a group of its own)
  --mode MODE        of a group that begins with this volume: ${wantedModes.join(" or ")}

With rm:
  --confirm NAME     the volume's name once more
  --force            also while hosts have it attached

With resize:
  --confirm NAME     the volume's name once more, where it is made smaller

With move-spool:
  --to FOLDER        where the new spool is to be, such as on another disk (beside the old one)

With all of them:
${apiHelp}
Example:
  tidemark volume add disk --source /srv/disk.img --size 10G --mode sync
  tidemark volume ls
  tidemark volume rm disk --confirm disk
`;

export const volumeCommand: Command = {
  name: "volume",
  summary: "add, list, resize and remove volumes",
  help,
  run: async (args) => {
    const [action, ...rest] = args;
    if (action === "add") return add(rest);
    if (action === "ls") return list(rest);
    if (action === "rm") return remove(rest);
    if (action === "resize") return resize(rest);
    if (action === "unfence") return unfence(rest);
    if (action === "resync") return resync(rest);
    if (action === "move-spool") return moveSpool(rest);
    const not = action === undefined ? "" : `, not '${action}'`;
    const known = "add, ls, rm, resize, unfence, resync or move-spool";
    throw new UsageError(`volume is followed by ${known}${not}; 'tidemark volume --help' tells more`);
  },
};

async function add(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, {
    ...apiOptions,
    source: { type: "string" },
    size: { type: "string" },
    group: { type: "string" },
    mode: { type: "string" },
  });
  const name = onlyName("volume add", positionals);
  const { source, size, group, mode } = values;
  if (source === undefined || source === "") throw new UsageError("volume add needs --source PATH or an NBD URI");
  const volume = await new ApiClient(values).ask("POST", ["volumes"], {
    body: {
      name,
      // The program may have been started elsewhere.
      source: isNbdUri(source) ? source : resolve(workingFolder(), source),
      ...(size === undefined ? {} : { sizeBytes: sizeOf("--size", size) }),
      ...(group === undefined ? {} : { group }),
      ...(mode === undefined ? {} : { mode: modeOf(mode) }),
    },
  });
  const report = volume as VolumeReport;
  if (values.json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
  else process.stdout.write(addedText(report));
  return 0;
}

function addedText(report: VolumeReport): string {
  const { name, sizeBytes, state, uris } = report;
  return `${name} (${roundedByteSize(sizeBytes)}) is ${state}: ${uris.join(" ")}\n${remarksOn(report)}`;
}

/** What a table has no room for. */
function remarksOn({ name, source, why, resizeTo, baseMissing, copy }: VolumeReport, said = ""): string {
  const remarks = [
    ...(why === undefined || said.includes(`volume ${name} `) ? [] : [why]),
    ...(resizeTo === undefined ? [] : [`it is being resized to ${roundedByteSize(resizeTo)}`]),
    ...(baseMissing ? [`what ${source} held before it was protected is not all in the journal yet`] : []),
    ...(copy === undefined ? [] : [copyText(copy)]),
  ];
  return remarks.map((remark) => `${name}: ${remark}\n`).join("");
}

function copyText({ kind, bytesDone, bytesTotal, bytesPerSecond }: CopyProgress): string {
  const what = kind === "initial" ? "the initial copy" : "the resync";
  const percent = bytesTotal === 0 ? 100 : Math.floor((bytesDone / bytesTotal) * 100);
  const sizes = `${roundedByteSize(bytesDone)} of ${roundedByteSize(bytesTotal)}`;
  return `${what} is under way: ${percent} %, ${sizes}, ${roundedByteSize(bytesPerSecond)}/s; no point lies in it`;
}

export function modeOf(text: string): string {
  if ((wantedModes as readonly string[]).includes(text)) return text;
  throw new UsageError(`a mode is ${wantedModes.join(" or ")}, not '${text}'`);
}

function sizeOf(what: string, text: string): number {
  const bytes = parseByteSize(text);
  if (bytes === undefined || bytes === 0) throw new UsageError(`${what} takes a size like 512M or 10G, not '${text}'`);
  return bytes;
}

async function list(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  if (positionals.length > 0) throw new UsageError(`volume ls takes no '${positionals[0]}'`);
  const answer = (await new ApiClient(values).ask("GET", ["volumes"])) as { readonly volumes: readonly VolumeReport[] };
  if (values.json === true) process.stdout.write(`${JSON.stringify(answer)}\n`);
  else process.stdout.write(volumeTable(answer.volumes));
  return 0;
}

async function remove(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, {
    ...apiOptions,
    force: { type: "boolean" },
    confirm: { type: "string" },
  });
  const name = onlyName("volume rm", positionals);
  const flags = values.force === true ? ["force"] : [];
  const options = { flags, confirm: values.confirm };
  const answer = (await new ApiClient(values).ask("DELETE", ["volumes", name], options)) as VolumeRemoval;
  const held = answer.sourceHeld === undefined ? "" : `${name}: ${answer.sourceHeld}\n`;
  process.stdout.write(
    values.json === true ? `${JSON.stringify(answer)}\n` : `${name} is not protected any more\n${held}`,
  );
  return 0;
}

async function resize(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, { ...apiOptions, confirm: { type: "string" } });
  const size = positionals.at(-1);
  if (size === undefined || positionals.length !== 2) {
    throw new UsageError("volume resize takes a NAME and a SIZE; --help tells more");
  }
  const name = onlyName("volume resize", positionals.slice(0, 1));
  const { confirm } = values;
  const body = { sizeBytes: sizeOf("SIZE", size), ...(confirm === undefined ? {} : { confirm }) };
  const report = (await new ApiClient(values).ask("PATCH", ["volumes", name], { body })) as VolumeReport;
  process.stdout.write(values.json === true ? `${JSON.stringify(report)}\n` : addedText(report));
  return 0;
}

async function unfence(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  const name = onlyName("volume unfence", positionals);
  const report = (await new ApiClient(values).ask("POST", ["volumes", name, "unfence"], { body: {} })) as VolumeReport;
  process.stdout.write(values.json === true ? `${JSON.stringify(report)}\n` : `${name} is ${report.state}\n`);
  return 0;
}

async function resync(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  const name = onlyName("volume resync", positionals);
  const report = (await new ApiClient(values).ask("POST", ["volumes", name, "resync"], { body: {} })) as VolumeReport;
  process.stdout.write(
    values.json === true ? `${JSON.stringify(report)}\n` : `${name} is ${report.state}\n${remarksOn(report)}`,
  );
  return 0;
}

async function moveSpool(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, { ...apiOptions, to: { type: "string" } });
  const name = onlyName("volume move-spool", positionals);
  if (values.to === "") throw new UsageError("--to takes a folder");
  const body = values.to === undefined ? {} : { folder: resolve(workingFolder(), values.to) };
  const moved = (await new ApiClient(values).ask("POST", ["volumes", name, "spool"], { body })) as SpoolMove;
  if (values.json === true) process.stdout.write(`${JSON.stringify(moved)}\n`);
  else process.stdout.write(spoolMoveInWords(moved));
  return 0;
}

/** The move is done, whatever is left to do for single volumes. */
export function spoolMoveInWords({ name, state, stillFenced = [] }: SpoolMove): string {
  const left = stillFenced.map(
    ({ volume, why }) =>
      `  ${volume} is still fenced: ${why}; mend that, and then 'tidemark volume unfence ${volume}'\n`,
  );
  return [`${name} has a new spool and is ${state}\n`, ...left].join("");
}

export function onlyName(what: string, positionals: readonly string[], placeholder = "NAME"): string {
  const [name, ...more] = positionals;
  if (name !== undefined && name !== "" && more.length === 0) return name;
  throw new UsageError(`${what} takes one ${placeholder}; --help tells more`);
}

const columns: readonly Column<VolumeReport>[] = [
  { title: "VOLUME", text: (volume) => volume.name },
  { title: "GROUP", text: (volume) => volume.group },
  { title: "STATE", text: (volume) => volume.state },
  { title: "SIZE", isNumber: true, text: (volume) => roundedByteSize(volume.sizeBytes) },
  { title: "CONNECTIONS", isNumber: true, text: (volume) => String(volume.connections) },
  { title: "SOURCE", text: (volume) => volume.source },
  { title: "ATTACH", text: (volume) => volume.uris[0] ?? "" },
];

/** `said`: what stands above the table already. */
export function volumeTable(volumes: readonly VolumeReport[], said = ""): string {
  if (volumes.length === 0) return "no volumes yet: 'tidemark volume add NAME --source PATH --size 10G' adds one\n";
  return table(volumes, columns) + volumes.map((volume) => remarksOn(volume, said)).join("");
}
