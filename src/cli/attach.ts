/** `tidemark attach`. */
import { resolve } from "node:path";
import { isName } from "#src/control/name.ts";
import { detachSecondsDefault } from "#src/core/attach-limits.ts";
import { RefuseError } from "#src/core/errors.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { environment, workingFolder } from "#src/host/node/environment.ts";
import { nodePrograms } from "#src/host/node/programs.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { attachDisk } from "./attach/attach-disk.ts";
import {
  type AttachClient,
  type Attachment,
  AttachmentPlace,
  allAttachments,
  attachClients,
  attachmentsFolder,
} from "./attach/attachment.ts";
import { isCutShort } from "./attach/cut-short.ts";
import { type CutOff, detachDisk } from "./attach/detach-disk.ts";
import { foundExport } from "./attach/found-export.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { type Column, table } from "./table.ts";
import { onlyName } from "./volume.ts";

const fileSystems = ["ext4", "xfs", "btrfs"];

const help = `Usage: tidemark attach NAME [OPTION ...]
       tidemark attach ls [--json]

Makes a block device of a volume, or of an open view, on this machine, and prints its path. It is the kernel's own NBD client
that does so where there is one (nbd-client), else nbdfuse and a loop device. That takes root; with --file there is a file
instead of the device, for anybody who may use FUSE. 'tidemark detach NAME' takes it away again; a restart of the machine does
too. ls lists what is attached by this user.

  --mount FOLDER     mounts it there
  --mkfs KIND        makes a file system first, where the device is empty: ${fileSystems.join(", ")}
  --read-only        nothing can be written to it
  --file             a file in place of the block device
  --client CLIENT    ${attachClients.join(" or ")} (the kernel's where there is one)
  --tls-certificates FOLDER
                     ca-cert.pem, client-cert.pem and client-key.pem, where volumes are attached over TLS
${apiHelp}
What is attached by 'fuse' does not outlive its server's end: detach it, and attach it again.

Example:
  tidemark attach disk --mkfs ext4 --mount /mnt
  tidemark detach disk
`;

const options = {
  ...apiOptions,
  mount: { type: "string" },
  mkfs: { type: "string" },
  "read-only": { type: "boolean" },
  file: { type: "boolean" },
  client: { type: "string" },
  "tls-certificates": { type: "string" },
} as const;

export const attachCommand: Command = {
  name: "attach",
  summary: "make a block device of a volume or a view, and mount it",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, options);
    const name = onlyName("attach", positionals);
    const { mkfs, mount } = values;
    if (name === "ls") return list(values.json === true);
    if (!isName(name)) throw new UsageError(`'${name}' is no name of a volume or a view`);
    if (mkfs !== undefined && !fileSystems.includes(mkfs)) {
      throw new UsageError(`--mkfs takes ${fileSystems.join(", ")}, not '${mkfs}'`);
    }
    if (values.file === true && (mkfs !== undefined || mount !== undefined || values.client === "kernel")) {
      throw new UsageError("a file cannot be mounted: leave out --file, or --mount, --mkfs and --client kernel");
    }
    if (values["read-only"] === true && mkfs !== undefined)
      throw new UsageError("choose between --read-only and --mkfs");
    const client = values.client === undefined ? undefined : clientOf(values.client);
    const { programs } = hands;
    const place = new AttachmentPlace(attachmentsFolder(environment(), programs.isRoot), name);
    await demandDetached(place, name);
    if (!programs.isRoot && values.file !== true) {
      throw new Error("a block device takes root; --file makes a file of it, for any user who may use FUSE");
    }
    const found = await foundExport(new ApiClient(values), name, values["tls-certificates"]);
    const attached = await attachDisk(hands, place, {
      ...{ name, uri: found.uri, client, isFileOnly: values.file === true },
      ...{ isReadOnly: values["read-only"] === true || found.isReadOnly, makeFileSystem: mkfs },
      mountAt: mount === undefined ? undefined : resolve(workingFolder(), mount),
    });
    process.stdout.write(values.json === true ? `${JSON.stringify(attached)}\n` : `${placeText(attached)}\n`);
    return 0;
  },
};

/** What an attach or a detach has left that was cut short is taken away, also what a detach was refused while it was in use. */
async function demandDetached(place: AttachmentPlace, name: string): Promise<void> {
  const known = place.read(nodePrograms);
  if (known === undefined) return;
  if (!isCutShort(nodePrograms, known))
    throw new Error(`${name} is attached already: ${placeText(known)}; 'tidemark detach ${name}'`);
  const cutOff = await takenAway(place, known);
  if (cutOff === undefined) return;
  process.stderr.write(
    `tidemark: what was left of ${name} was cut off: ${cutOff}. What was written there and not synced is lost\n`,
  );
}

async function takenAway(place: AttachmentPlace, known: Attachment): Promise<CutOff> {
  try {
    return await detachDisk(hands, place, known, { isForced: false, withinMs: detachSecondsDefault * 1000 });
  } catch (error) {
    if (!(error instanceof RefuseError)) throw error;
    throw new RefuseError(`${known.name} is attached still, since ${error.message}`, { cause: error });
  }
}

const hands = { programs: nodePrograms, clock: nodeClock };

function clientOf(text: string): AttachClient {
  const client = attachClients.find((one) => one === text);
  if (client === undefined) throw new UsageError(`--client takes ${attachClients.join(" or ")}, not '${text}'`);
  return client;
}

function placeText({ device, file, mountedAt }: Attachment): string {
  const place = device ?? file ?? "half attached";
  return mountedAt === undefined ? place : `${place}, mounted at ${mountedAt}`;
}

function list(asJson: boolean): number {
  const { programs } = hands;
  const attachments = allAttachments(programs, attachmentsFolder(environment(), programs.isRoot));
  if (asJson) process.stdout.write(`${JSON.stringify({ attachments })}\n`);
  else process.stdout.write(attachments.length === 0 ? "nothing is attached\n" : table(attachments, columns));
  return 0;
}

const columns: readonly Column<Attachment>[] = [
  { title: "NAME", text: ({ name }) => name },
  { title: "CLIENT", text: ({ client }) => client },
  { title: "DEVICE", text: ({ device, file }) => device ?? file ?? "" },
  { title: "MOUNTED AT", text: ({ mountedAt }) => mountedAt ?? "" },
  { title: "URI", text: ({ uri }) => uri },
];
