/** `tidemark rebuild`: the data folder of a remote appliance, made anew of its store's objects. */
import { join, resolve } from "node:path";
import type { RebuildProgress, RebuiltGroup } from "#src/appliance/remote/rebuilt-groups.ts";
import type { Config } from "#src/control/config-schema.ts";
import { takeFolders } from "#src/control/data-folders.ts";
import { namesDoubtPath, roleFolder, storeFolder } from "#src/control/folder-layout.ts";
import { NamesDoubt } from "#src/control/names-doubt.ts";
import { sideMachine } from "#src/control/side-machine.ts";
import { readStoreKey } from "#src/control/store-key.ts";
import { rebuildFromStore, type StoreRebuildParts, type StoreRebuildResult } from "#src/control/store-rebuild.ts";
import { roundedByteSize } from "#src/core/byte-size.ts";
import { RefuseError } from "#src/core/errors.ts";
import { recordTimeText } from "#src/core/record-time.ts";
import { rebuildProgressPieces } from "#src/core/store-limits.ts";
import type { Files } from "#src/host/files.ts";
import { workingFolder } from "#src/host/node/environment.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { storeDocumentNames } from "#src/store/store-document-copies.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { configHelp, configOptions, readConfiguration } from "./config-options.ts";
import { demandOwn } from "./data-owner.ts";

const help = `Usage: tidemark rebuild --from OBJECTS [OPTION ...]
       tidemark rebuild --in-place [OPTION ...]

Makes the data of a remote appliance anew of its store's objects alone: groups, their volumes, and where their records go on.
The remote appliance must not run, and it is its user who runs this: what root makes it could not read. The objects stay where they
are, and are used from there.

With --from the data folder has to be without a remote appliance's data, and OBJECTS is the store: the folder with store.json
in it. With --in-place the data folder is there, and its store has lost something, or is another one: what the store has of
each group counts, and what the folder has beyond is set aside.

  --from OBJECTS   the store's folder
  --in-place       mend what is there, with the store that the configuration names
  --confirm GROUP  set aside what the store has lost of this group; may be repeated; binding.json: the store is this
                   folder's, though that document is damaged or lost
  --cut GROUP      by its id: where its pieces have a gap, or the newest are missing, remove those behind it from the store, and
                   snapshots of what was behind it; may be repeated
  --key-file FILE  the key of an encrypted store; short for --set store.keyFile=FILE
${configHelp}  --json           the outcome as one JSON object, with stable names
  --help           this text

What it cannot know comes from the configuration: the token and the certificates of the wire, the store's key, addresses.

Example:
  tidemark rebuild --from /mnt/store --data /srv/tidemark
`;

const options = {
  ...configOptions,
  from: { type: "string" },
  "in-place": { type: "boolean" },
  confirm: { type: "string", multiple: true },
  cut: { type: "string", multiple: true },
  "key-file": { type: "string" },
  json: { type: "boolean" },
} as const;

export const rebuildCommand: Command = {
  name: "rebuild",
  summary: "make a remote appliance's data anew of its store",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, options);
    if (positionals.length > 0) throw new UsageError(`rebuild takes no '${positionals[0]}'`);
    if ((values.from === undefined) !== (values["in-place"] === true)) {
      throw new UsageError("rebuild takes either --from OBJECTS or --in-place; 'tidemark rebuild --help' tells more");
    }
    const keyFile = values["key-file"] === undefined ? [] : [`store.keyFile=${values["key-file"]}`];
    const { config } = readConfiguration({ ...values, set: [...(values.set ?? []), ...keyFile] }, []);
    const objectsPath = values.from === undefined ? storeFolder(config) : resolve(workingFolder(), values.from);
    const chosen = { confirmed: values.confirm ?? [], cut: values.cut ?? [], isInPlace: values.from === undefined };
    const result = await rebuilt(config, objectsPath, chosen);
    const text = () => outcomeText(result, config, objectsPath);
    process.stdout.write(values.json === true ? `${JSON.stringify({ ...result, objects: objectsPath })}\n` : text());
    return result.broken.length === 0 ? 0 : 1;
  },
};

interface Chosen {
  readonly confirmed: readonly string[];
  readonly cut: readonly string[];
  readonly isInPlace: boolean;
}

async function rebuilt(config: Config, objectsPath: string, chosen: Chosen): Promise<StoreRebuildResult> {
  const machine = sideMachine(config, "rebuild");
  const { files } = machine;
  if (!files.exists(objectsPath)) throw new Error(`there is no folder ${objectsPath}`);
  demandOwn([config.data, objectsPath], "rebuild", "give it to root where the remote appliance is root's");
  if (!chosen.isInPlace) demandStore(files, objectsPath);
  const wrappingKey = await readStoreKey(files, config);
  const locks = await takeFolders(files, config, ["remote"]);
  try {
    const doubt = NamesDoubt.open(machine, namesDoubtPath(config));
    doubt.assertNone();
    const folder = roleFolder(config, "remote");
    const parts = { machine, folder, wrappingKey, ...chosen, place: objectsPath, progress: showProgress };
    return await doubt.heed(() => rebuiltFrom(parts));
  } finally {
    for (const lock of locks) lock.release();
  }
}

async function rebuiltFrom(parts: Omit<StoreRebuildParts, "objects">): Promise<StoreRebuildResult> {
  const objects = await FolderObjects.open(parts.machine, parts.place);
  try {
    return await rebuildFromStore({ ...parts, objects });
  } finally {
    await objects.close();
  }
}

/** Whoever opens a folder to write tidies it up, and a wrong one is to stay as it is. */
function demandStore(files: Files, folder: string): void {
  if (storeDocumentNames.some((name) => files.exists(join(folder, name)))) return;
  const found = `${folder} holds no store: ${storeDocumentNames.join(" and ")} are missing`;
  throw new RefuseError(`${found}; name the folder that has them`);
}

/** For people who wait at a terminal. */
function showProgress({ group, pieceNumber, pieceCount }: RebuildProgress): void {
  if (!process.stderr.isTTY || (pieceNumber % rebuildProgressPieces !== 0 && pieceNumber !== pieceCount)) return;
  const end = pieceNumber === pieceCount ? "\n" : "";
  process.stderr.write(`\rgroup ${group}: ${pieceNumber} of ${pieceCount} pieces looked at${end}`);
}

function outcomeText(result: StoreRebuildResult, config: Config, objectsPath: string): string {
  const lines = [
    ...result.rebuilt.flatMap(groupLines),
    ...result.kept.map((id) => `group ${id} is as it was`),
    ...result.setAside.map(
      ({ name, folder }) => `what there was of group ${name} is in ${folder}; remove it when nobody needs it`,
    ),
    ...result.broken.map(
      ({ id, why, canBeCut }) =>
        `GROUP ${id} WAS NOT MADE: ${why}. Put back what is missing and run this again${canBeCut ? `, or add --cut ${id}` : ""}`,
    ),
  ];
  if (storeFolder(config) !== objectsPath)
    lines.push(`Set store.folder to ${objectsPath} before the remote is started.`);
  lines.push(
    "Start the remote appliance with the token, the certificates and the address that it had. Local appliances send what they still",
    "have; one that has not enough is refused in words: then 'tidemark volume move-spool' and 'tidemark volume resync' there.",
  );
  return `${lines.join("\n")}\n`;
}

function groupLines({ name, id, firstSeq, lastSeq, epoch, timeMicros, volumes }: RebuiltGroup): string[] {
  const until = recordTimeText(timeMicros);
  const head = `group ${name} (${id}): records ${firstSeq} to ${lastSeq}, epoch ${epoch}, up to ${until}`;
  return [head, ...volumes.map((volume) => `  volume ${volume.name}, ${roundedByteSize(volume.sizeBytes)}`)];
}
