/** The journals that the remote appliance has, as the process that keeps its store finds them. Reads only. */
import { basename, join } from "node:path";
import { type RemoteGroupState, RemoteGroupStateFile } from "#src/appliance/remote/remote-group-state.ts";
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
    const folder = new JournalFolder(join(this.#path, group));
    return unlessUnreadable(() => {
      const state = this.#stateOf(group);
      if (state === undefined) return undefined;
      const { incarnation, journalStart } = state;
      return new MetadataCursor(this.#files, folder, { group, incarnation }, seq, journalStart);
    });
  }

  /** Up to which record the journals of each group, by its id, are noted to be durable; without those that cannot be read. */
  checkpoints(): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    for (const { path } of this.all()) {
      const group = basename(path);
      const checkpointSeq = unlessUnreadable(() => this.#stateOf(group)?.checkpointSeq);
      if (checkpointSeq !== undefined) found.set(group, checkpointSeq);
    }
    return found;
  }

  #stateOf(group: string): RemoteGroupState | undefined {
    return RemoteGroupStateFile.read(this.#files, join(this.#path, group), group)?.state;
  }
}

function unlessUnreadable<Found>(read: () => Found): Found | undefined {
  try {
    return read();
  } catch (error) {
    if (isOwnFault(error)) throw error;
    return undefined;
  }
}
