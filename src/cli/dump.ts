/** `tidemark dump spool|journal FOLDER`: what lies in the files, record by record. */
import { join, resolve } from "node:path";
import { describeSpool, spoolLine } from "#src/appliance/local/spool-description.ts";
import { segmentNames } from "#src/appliance/local/spool-segments.ts";
import { outputPieceCharacters } from "#src/core/limits.ts";
import type { Files } from "#src/host/files.ts";
import { workingFolder } from "#src/host/node/environment.ts";
import { nodeFiles } from "#src/host/node/files.ts";
import { describeJournal, journalLine } from "#src/journals/journal-description.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { explainFile } from "./failure.ts";

const help = `Usage: tidemark dump spool|journal FOLDER [OPTION ...]

Prints what lies in a spool or in a group's journals, record by record, and what of it is not as it was written. Reads only;
what a running program writes meanwhile may be seen in part. FOLDER is a data folder, or one of a group in it.

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
      for (const item of describeJournal(files, folder)) yield asJson ? JSON.stringify(item) : journalLine(item);
    },
  },
};

export const dumpCommand: Command = {
  name: "dump",
  summary: "print what lies in a spool or in journals",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, { json: { type: "boolean" } });
    const [name = "", folder, ...more] = positionals;
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined || folder === undefined || more.length > 0) {
      throw new UsageError("dump takes spool or journal, and a FOLDER; 'tidemark dump --help' tells more");
    }
    const found = foldersBelow(nodeFiles, resolve(workingFolder(), folder), kind);
    if (found.length === 0)
      throw new Error(`${folder} holds no ${name}; a data folder does, and a group's folder in it`);
    for (const one of found) await print(kind.lines(nodeFiles, one, values.json === true));
    return 0;
  },
};

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

/** A reader that is slower is waited for, and to one that is gone nothing more is said. */
async function print(lines: Generator<string>): Promise<void> {
  let text = "";
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < outputPieceCharacters) continue;
    if (!(await isTaken(text))) return;
    text = "";
  }
  await isTaken(text);
}

function isTaken(text: string): Promise<boolean> {
  return new Promise((resolve) => process.stdout.write(text, (error) => resolve(!error)));
}
