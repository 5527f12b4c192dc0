/** The drills that there were, in a document of the remote appliance: which points were proven, and which have failed. */
import { StopError } from "#src/core/errors.ts";
import { drillsKeptMax } from "#src/core/view-limits.ts";
import { publishDocument, readDocument } from "#src/host/document.ts";
import type { Files } from "#src/host/files.ts";
import type { Machine } from "#src/host/machine.ts";
import { type Drill, drillOutcomes } from "./drill.ts";

const asideEnding = ".damaged";
const kind = { format: "tidemark-drills", version: 1 } as const;

export class DrillBook {
  readonly #files: Files;
  readonly #path: string;
  #lastId: number;
  #drills: readonly Drill[];
  /** What changes it is done one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(files: Files, path: string, lastId: number, drills: readonly Drill[]) {
    this.#files = files;
    this.#path = path;
    this.#lastId = lastId;
    this.#drills = drills;
  }

  /**
   * Its folder is there. A damaged document gets another name, and another one is begun: what is known of drills is no reason for
   * the rest not to start.
   */
  static open({ files, log }: Pick<Machine, "files" | "log">, path: string): DrillBook {
    try {
      return DrillBook.#read(files, path);
    } catch (error) {
      if (!(error instanceof StopError)) throw error;
      log.error("what is known of drills is set aside", { error });
      files.rename(path, path + asideEnding);
      return new DrillBook(files, path, 0, []);
    }
  }

  static #read(files: Files, path: string): DrillBook {
    const content = readDocument(files, path, kind);
    if (content === undefined) return new DrillBook(files, path, 0, []);
    const { lastId, drills } = content;
    if (!Number.isSafeInteger(lastId) || !Array.isArray(drills) || !drills.every(isDrill)) {
      throw new StopError(`${path} does not say which drills there were`);
    }
    return new DrillBook(files, path, lastId as number, drills);
  }

  /** The newest is last. */
  get all(): readonly Drill[] {
    return this.#drills;
  }

  /** The last one of each volume. */
  get last(): readonly Drill[] {
    return [...new Map(this.#drills.map((drill) => [`${drill.group} ${drill.volume}`, drill])).values()];
  }

  /** Durable when it resolves. */
  add(drill: Omit<Drill, "id">): Promise<Drill> {
    const added = this.#turn.then(async () => {
      const numbered = { ...drill, id: this.#lastId + 1 };
      const drills = [...this.#drills, numbered].slice(-drillsKeptMax);
      await publishDocument(this.#files, this.#path, kind, { lastId: numbered.id, drills });
      this.#lastId = numbered.id;
      this.#drills = drills;
      return numbered;
    });
    this.#turn = added.catch(() => {});
    return added;
  }
}

function isDrill(value: unknown): value is Drill {
  const drill = (value ?? {}) as Record<string, unknown>;
  const numbers = [drill.id, drill.volume, drill.seq, drill.timeMicros, drill.startedMs, drill.durationMs];
  const texts = [drill.group, drill.groupName, drill.volumeName, drill.command];
  const isOutcome = drillOutcomes.some((outcome) => outcome === drill.outcome);
  return isOutcome && numbers.every(Number.isSafeInteger) && texts.every((text) => typeof text === "string");
}
