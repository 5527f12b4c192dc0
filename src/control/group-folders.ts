/** The journals that the remote appliance has, as the process that keeps its store finds them. Reads only. */
import { join } from "node:path";
import { RemoteGroupStateFile } from "#src/appliance/remote/remote-group-state.ts";
import { isOwnFault } from "#src/core/assert.ts";
import type { Files } from "#src/host/files.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { MetadataCursor } from "#src/journals/metadata-cursor.ts";
import type { UnitWalk } from "#src/journals/piece-sealer.ts";

export class GroupFolders {
  readonly #files: Files;
  readonly #path: string;

  /** `path`: where each group has a folder of its name. It need not be there yet. */
  constructor(files: Files, path: string) {
    this.#files = files;
    this.#path = path;
  }

  all(): readonly JournalFolder[] {
    if (!this.#files.exists(this.#path)) return [];
    const names = this.#files.list(this.#path).filter((name) => /^[0-9a-f]{32}$/.test(name));
    return names.map((name) => new JournalFolder(join(this.#path, name)));
  }

  /** Segments whose files are still there, to be sealed or removed. */
  segmentsWithFiles(): ReadonlySet<number> {
    return new Set(this.all().flatMap((folder) => folder.segments(this.#files)));
  }

  /** Over a group's open journal from a record on. Undefined: it is not at hand, or not to be read. */
  walkFrom(group: string, seq: number): UnitWalk | undefined {
    const path = join(this.#path, group);
    try {
      const state = RemoteGroupStateFile.read(this.#files, path, group)?.state;
      if (state === undefined) return undefined;
      const { incarnation, journalStart } = state;
      return new MetadataCursor(this.#files, new JournalFolder(path), { group, incarnation }, seq, journalStart);
    } catch (error) {
      if (isOwnFault(error)) throw error;
      return undefined;
    }
  }
}
