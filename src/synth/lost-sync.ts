/**
 * Whether a sync of what was written to a view has failed. What is read of it then need not be on the disk, and a later sync that
 * succeeds says nothing about that one: the system tells of each failure once. So nothing is promised of it any more, by any
 * process, on this start of the machine. After the next one what is read is what the disk has.
 */
import { StopError } from "#src/core/errors.ts";
import { type DocumentKind, publishDocument, readDocument } from "#src/host/document.ts";
import type { Machine } from "#src/host/machine.ts";
import { raiseOwnFault } from "#src/host/own-fault.ts";
import { inWords } from "#src/host/system-words.ts";

/** Of the note, in the folder of a view. */
export const lostSyncName = "lost-sync.json";
const kind: DocumentKind = { format: "tidemark-lost-sync", version: 1 };

export type LostSyncGround = Pick<Machine, "files" | "clock" | "log" | "bootId">;

export class LostSync {
  readonly #ground: LostSyncGround;
  readonly #path: string;
  #why: string | undefined;
  #noting: Promise<void> | undefined;

  private constructor(ground: LostSyncGround, path: string, why: string | undefined) {
    this.#ground = ground;
    this.#path = path;
    this.#why = why;
  }

  /** `path`: of the note about it. Its folder is there, or nothing was ever noted. */
  static open(ground: LostSyncGround, path: string): LostSync {
    const noted = readDocument(ground.files, path, kind);
    const isOfThisStart = noted?.bootId === ground.bootId && typeof noted.why === "string";
    return new LostSync(ground, path, isOfThisStart ? (noted.why as string) : undefined);
  }

  /** With what to do. Undefined: none was lost. */
  get error(): StopError | undefined {
    if (this.#why === undefined) return undefined;
    const advice =
      "copy it while it can be read, or throw it away; it takes writes again after a new start of the machine";
    return new StopError(`a sync of what was written to it has failed (${this.#why}): ${advice}`);
  }

  /** Holds at once, and over processes as far as that can be noted: perhaps it is the same disk. */
  note(error: Error): void {
    if (this.#why !== undefined) return;
    const why = inWords(error);
    this.#why = why;
    this.#noting = this.#publish(why);
  }

  async #publish(why: string): Promise<void> {
    const { files, bootId, log, clock } = this.#ground;
    log.error("a sync of what was written to a view has failed: nothing of it is promised any more", { why });
    try {
      await publishDocument(files, this.#path, kind, { bootId, why });
    } catch (error) {
      raiseOwnFault(error, clock);
      log.error("that could not be noted: when the view is opened again, it is not known", { error });
    }
  }

  /** It is noted, or could not be. */
  async settled(): Promise<void> {
    await this.#noting;
  }
}
