/**
 * After a sync of a folder of the store has failed, nobody knows which of its names are on the disk, and a later sync that
 * succeeds says nothing about that one: the system tells of each failure once. So nothing more is written on this start of
 * the machine, by any process, until somebody says that the file system was mounted anew, whose view is then that of the disk.
 */
import { StopError } from "#src/core/errors.ts";
import { type DocumentKind, publishDocument, readDocument } from "#src/host/document.ts";
import type { Machine } from "#src/host/machine.ts";
import { raiseOwnFault } from "#src/host/own-fault.ts";
import { UnknownNamesError } from "#src/store/unknown-names-error.ts";

const kind: DocumentKind = { format: "tidemark-names-doubt", version: 1 };

type DoubtGround = Pick<Machine, "files" | "clock" | "log" | "bootId">;

export class NamesDoubt {
  readonly #machine: DoubtGround;
  readonly #path: string;
  #why: string | undefined;
  #noting: Promise<void> | undefined;

  private constructor(machine: DoubtGround, path: string, why: string | undefined) {
    this.#machine = machine;
    this.#path = path;
    this.#why = why;
  }

  /** `path`: of the note about it. Its folder is there. */
  static open(machine: DoubtGround, path: string): NamesDoubt {
    const noted = readDocument(machine.files, path, kind);
    const isOfThisStart = noted?.bootId === machine.bootId && typeof noted.why === "string";
    return new NamesDoubt(machine, path, isOfThisStart ? (noted.why as string) : undefined);
  }

  /** In words, with what to do. Undefined: there is none. */
  get trouble(): string | undefined {
    if (this.#why === undefined) return undefined;
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
    if (this.#why === undefined) return;
    if (this.#machine.files.exists(this.#path)) this.#machine.files.remove(this.#path);
    this.#why = undefined;
    this.#noting = undefined;
  }
}
