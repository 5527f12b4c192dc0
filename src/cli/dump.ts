/** `tidemark dump [spool|journal|object|segment|piece|snapshot] PATH`: what lies in the files, record by record or part by part. */
import { basename, join, resolve } from "node:path";
import { describeSpool, spoolLine } from "#src/appliance/local/spool-description.ts";
import { segmentNames } from "#src/appliance/local/spool-segments.ts";
import { RemoteGroupStateFile } from "#src/appliance/remote/remote-group-state.ts";
import { describeText, textLine } from "#src/control/text-description.ts";
import { MiB } from "#src/core/limits.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { workingFolder } from "#src/host/node/environment.ts";
import { nodeFiles } from "#src/host/node/files.ts";
import { describeJournal, journalLine } from "#src/journals/journal-description.ts";
import type { JournalStart } from "#src/journals/journal-start.ts";
import { describeSealedPiece, sealedPieceLine } from "#src/journals/sealed-piece-description.ts";
import { describeObject, isObject, objectLine } from "#src/store/object-description.ts";
import type { ObjectSource } from "#src/store/object-ends.ts";
import { describeSegment, segmentLine } from "#src/store/segment-description.ts";
import { describeSnapshot, snapshotLine } from "#src/synth/snapshot-description.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { opened, print } from "./dump-output.ts";
import { explainFile } from "./failure.ts";

const help = `Usage: tidemark dump PATH [OPTION ...]
       tidemark dump spool|journal FOLDER [OPTION ...]
       tidemark dump object|segment|piece|snapshot FILE [OPTION ...]

Prints what lies in a spool or in a group's journals, record by record, or in an object of the store, part by part, and what
of it is not as it was written. Reads only; what a running program writes meanwhile may be seen in part. FOLDER is a data
folder, or one of a group in it. Of an encrypted object the checksums are looked at, not what is in it. A piece is an object
that holds records of a journal: they are printed one by one, and what the last of them say of each block. A snapshot is an
object of pointers: which volumes it has is printed, which earlier ones it needs, and where its own pointers lead. A
segment is an object that holds blocks: what it says of each of its slots is printed. With PATH alone it finds out what lies there;
that may also be one of the documents that are text with a checksum, the audit log, or the file of events. The exit status is 1
where a file is damaged.

  --json           one JSON object per line, with stable names
  --help           this text

Example:
  tidemark dump journal var | less
`;

interface Kind {
  /** Where in a data folder groups have what is described. */
  readonly role: string;
  readonly folderInGroup: string;
  /** A file or folder that only what is described has. */
  isOne(files: Files, folder: string): boolean;
  lines(files: Files, folder: string, asJson: boolean): Generator<string>;
}

const kinds: Readonly<Record<string, Kind>> = {
  spool: {
    role: "local",
    folderInGroup: "spool",
    isOne: (files, folder) => segmentNames(files, folder).length > 0,
    lines: function* (files, folder, asJson) {
      for (const item of describeSpool(files, folder)) yield asJson ? JSON.stringify(item) : spoolLine(item);
    },
  },
  journal: {
    role: "remote",
    folderInGroup: ".",
    isOne: (files, folder) => files.exists(join(folder, "metadata")),
    lines: function* (files, folder, asJson) {
      for (const item of describeJournal(files, folder, startOf(files, folder)))
        yield asJson ? JSON.stringify(item) : journalLine(item);
    },
  },
};

/** Of a group's journals, as far as its state can be read. */
function startOf(files: Files, folder: string): JournalStart | undefined {
  try {
    return RemoteGroupStateFile.read(files, folder, basename(resolve(folder)))?.state.journalStart;
  } catch {
    return undefined;
  }
}

interface FileDump {
  readonly source: ObjectSource;
  readonly path: string;
  readonly asJson: boolean;
  /** Something of it is not as it was written. */
  readonly flawed: () => void;
}

type DescribeFile = (dump: FileDump) => AsyncGenerator<string>;

/** What is one file, wherever it lies and whatever it is called. */
const fileKinds: Readonly<Record<string, DescribeFile>> = {
  object: linesOf(describeObject, objectLine),
  segment: linesOf(describeSegment, segmentLine),
  snapshot: linesOf(describeSnapshot, snapshotLine),
  piece: linesOf(describeSealedPiece, sealedPieceLine),
};

function linesOf<Item extends { readonly kind: string }>(
  describe: (source: ObjectSource, path: string) => AsyncGenerator<Item>,
  line: (item: Item) => string,
): DescribeFile {
  return async function* ({ source, path, asJson, flawed }) {
    for await (const item of describe(source, path)) {
      if (item.kind === "flaw") flawed();
      yield asJson ? JSON.stringify(item) : line(item);
    }
  };
}

export const dumpCommand: Command = {
  name: "dump",
  summary: "print what lies in a spool, in journals or in an object of the store",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, { json: { type: "boolean" } });
    const [name = "", place, ...more] = positionals;
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    const fileKind = Object.hasOwn(fileKinds, name) ? fileKinds[name] : undefined;
    const asJson = values.json === true;
    if (name !== "" && place === undefined && kind === undefined && fileKind === undefined)
      return dumpAny(name, asJson);
    if (place !== undefined && more.length === 0) {
      if (kind !== undefined) await dumpFolders(kind, name, place, asJson);
      if (fileKind !== undefined) return await dumpFile(fileKind, place, asJson);
      if (kind !== undefined) return 0;
    }
    throw new UsageError(
      "dump takes a PATH, with spool or journal before a FOLDER, or object, segment, piece or snapshot before a FILE; " +
        "'tidemark dump --help' tells more",
    );
  },
};

/** Whatever it is. Answers the exit status. */
async function dumpAny(path: string, asJson: boolean): Promise<number> {
  if (isFolder(path)) {
    const found = Object.values(kinds).flatMap((kind) =>
      foldersBelow(nodeFiles, resolve(workingFolder(), path), kind).map((folder) => ({ kind, folder })),
    );
    if (found.length === 0) throw new Error(`${path} holds neither a spool nor a journal; a data folder does`);
    for (const { kind, folder } of found) await print(kind.lines(nodeFiles, folder, asJson));
    return 0;
  }
  const handle = opened(nodeFiles, path);
  try {
    const objectKind = await objectKindOf(handle, path);
    if (objectKind !== undefined) return await dumpFile(fileKinds[objectKind] as DescribeFile, path, asJson);
    const bytes = Buffer.alloc(Math.min(handle.sizeBytesNow(), textBytesMax));
    handle.readNow(bytes, 0, bytes.length, 0);
    const items = describeText(bytes, path);
    if (items === undefined) throw new Error(`${path} does not say that it is one of Tidemark's files`);
    await print(items.map((item) => (asJson ? JSON.stringify(item) : textLine(item))));
    return items.some(({ kind }) => kind === "flaw") ? 1 : 0;
  } finally {
    handle.close();
  }
}

/** More than any such file has. */
const textBytesMax = 64 * MiB;

function isFolder(path: string): boolean {
  const whole = resolve(workingFolder(), path);
  return nodeFiles.exists(whole) && nodeFiles.sizeBytes(whole) === undefined;
}

/** Undefined: it is no object. */
async function objectKindOf(handle: FileHandle, path: string): Promise<string | undefined> {
  const source = sourceOf(handle);
  if (!(await isObject(source, path))) return undefined;
  for await (const item of describeObject(source, path)) {
    if (item.kind === "header" && Object.hasOwn(fileKinds, item.objectKind)) return item.objectKind;
    break;
  }
  return "object";
}

function sourceOf(handle: FileHandle): ObjectSource {
  return {
    sizeBytes: async () => handle.sizeBytesNow(),
    read: async (_name, target, position) => handle.readNow(target, 0, target.length, position),
  };
}

async function dumpFolders(kind: Kind, name: string, folder: string, asJson: boolean): Promise<void> {
  const found = foldersBelow(nodeFiles, resolve(workingFolder(), folder), kind);
  if (found.length === 0) throw new Error(`${folder} holds no ${name}; a data folder does, and a group's folder in it`);
  for (const one of found) await print(kind.lines(nodeFiles, one, asJson));
}

/** Answers the exit status: whether all of it is as it was written. */
async function dumpFile(describe: DescribeFile, path: string, asJson: boolean): Promise<number> {
  let isSound = true;
  const flawed = () => {
    isSound = false;
  };
  const handle = opened(nodeFiles, path);
  try {
    const source = sourceOf(handle);
    if (!(await isObject(source, path))) throw new Error(`${path} is no object of a store`);
    await print(describe({ source, path, asJson, flawed }));
  } finally {
    handle.close();
  }
  return isSound ? 0 : 1;
}

function foldersBelow(files: Files, folder: string, kind: Kind): string[] {
  try {
    files.list(folder);
    const groupsIn = [join(folder, kind.role, "groups"), join(folder, "groups")].filter((path) => files.exists(path));
    const groups = groupsIn.flatMap((path) => files.list(path).map((group) => join(path, group, kind.folderInGroup)));
    const candidates = [folder, join(folder, kind.folderInGroup), ...groups];
    return [...new Set(candidates)].filter((path) => files.exists(path) && kind.isOne(files, path));
  } catch (error) {
    throw explainFile(error, folder);
  }
}
