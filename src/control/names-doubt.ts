/**
 * After a sync of a folder of the store has failed, nobody knows which of its names are on the disk, and a later sync that
 * succeeds says nothing about that one: the system tells of each failure once. So nothing more is written on this start of
 * the machine, by any process, until somebody says that the file system was mounted anew, whose view is then that of the disk.
 */
import { StopError } from "#src/core/errors.ts";
import { type DocumentKind, publishDocument, readMendedDocument } from "#src/host/document.ts";
import type { Machine } from "#src/host/machine.ts";
import { raiseOwnFault } from "#src/host/own-fault.ts";
import { UnknownNamesError } from "#src/store/unknown-names-error.ts";

const kind: DocumentKind = { format: "tidemark-names-doubt", version: 1 };

type DoubtGround = Pick<Machine, "files" | "clock" | "log" | "bootId">;

interface FoundDoubt {
  readonly why?: string;
  readonly damage?: string;
}

export class NamesDoubt {
  readonly #machine: DoubtGround;
  readonly #path: string;
  #why: string | undefined;
  /** Why nobody can read what was noted, on this start of the machine or on another. */
  #damage: string | undefined;
  #noting: Promise<void> | undefined;

  private constructor(machine: DoubtGround, path: string, { why, damage }: FoundDoubt) {
    this.#machine = machine;
    this.#path = path;
    this.#why = why;
    this.#damage = damage;
  }

  /** `path`: of the note about it. Its folder is there. */
  static open(machine: DoubtGround, path: string): NamesDoubt {
    return new NamesDoubt(machine, path, foundDoubt(machine, path));
  }

  /** In words, with what to do. Undefined: there is none. */
  get trouble(): string | undefined {
    if (this.#why === undefined) return this.#damage;
    const advice = "mount its file system anew, and then 'tidemark store retry --remounted'; or start the machine anew";
    return `${this.#why}: a sync has failed, so nothing more is written to the store (${advice})`;
  }

  assertNone(): void {
    if (this.trouble !== undefined) throw new StopError(this.trouble);
  }

  /** Holds at once, and over restarts when it resolves, as far as that can be noted: perhaps it is the same disk. */
  note(why: string): Promise<void> {
    this.#noting ??= this.#note(why);
    return this.#noting;
  }

  /** What this meets is noted before anybody hears of it: whoever tried again would find nothing wrong. */
  async heed<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof UnknownNamesError) await this.note(error.message);
      throw error;
    }
  }

  async #note(why: string): Promise<void> {
    if (this.#why !== undefined) return;
    this.#why = why;
    const { files, bootId, log, clock } = this.#machine;
    try {
      await publishDocument(files, this.#path, kind, { bootId, why });
    } catch (error) {
      raiseOwnFault(error, clock);
      log.error("it could not be noted that the store is in doubt: do not start the program anew before the machine", {
        error,
      });
    }
  }

  /** Somebody says that what the system shows of the store is what its disk has. */
  clear(): void {
    if (this.trouble === undefined) return;
    if (this.#machine.files.exists(this.#path)) this.#machine.files.remove(this.#path);
    this.#why = undefined;
    this.#damage = undefined;
    this.#noting = undefined;
  }
}

/** Throws a `RefuseError` where a later version has written it. */
function foundDoubt({ files, bootId }: DoubtGround, path: string): FoundDoubt {
  try {
    const noted = readMendedDocument(files, path, kind)?.content;
    return noted?.bootId === bootId && typeof noted.why === "string" ? { why: noted.why } : {};
  } catch (error) {
    if (!(error instanceof StopError)) throw error;
    const told =
      "so a sync of the store may have failed on this start of the machine, and nothing more is written to it";
    const wayOut =
      "when its file system was mounted anew, or the machine started anew: 'tidemark store retry --remounted'";
    return { damage: `${error.message}: ${told} (${wayOut})` };
  }
}
