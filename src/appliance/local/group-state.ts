/**
 * What a group of the local appliance must know for certain when it starts, beside its spool: who it is, which life this
 * is, how far its seqs may have gone, which volumes it has. Changes are published one after the other.
 */
import { StopError } from "#src/core/errors.ts";
import { type DocumentKind, publishDocument, readDocument } from "#src/host/document.ts";
import type { Files } from "#src/host/files.ts";
import type { Mode } from "./mode-machine.ts";

const kind: DocumentKind = { format: "tidemark-local-group", version: 1 };

export interface GroupVolume {
  /** Within the group, from 1 on. */
  readonly number: number;
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** Power was lost, and its interceptor has not said yet that it took note. */
  readonly inDoubt: boolean;
}

export interface GroupState {
  readonly id: string;
  readonly name: string;
  /** Counts the starts. */
  readonly life: number;
  readonly bootId: string;
  readonly epoch: number;
  /** No record has a seq above this. */
  readonly seqCeiling: number;
  /** The epoch has been raised, and the record that says so is not known to be durable: it will have this seq. */
  readonly epochSeq: number | null;
  /** The last seq when the group was stopped in good order; null while it runs, and after a crash. */
  readonly stoppedAtSeq: number | null;
  /** Of the spool. */
  readonly incarnation: number;
  readonly wantedMode: Mode;
  /** Of the newest record that is known to be released from the spool. */
  readonly mode: Mode;
  readonly volumes: readonly GroupVolume[];
}

export class GroupStateFile {
  readonly #files: Files;
  readonly #path: string;
  #state: GroupState;
  #ceilingWanted = 0;
  #published: Promise<void> = Promise.resolve();

  private constructor(files: Files, path: string, state: GroupState) {
    this.#files = files;
    this.#path = path;
    this.#state = state;
  }

  static read(files: Files, path: string): GroupStateFile | undefined {
    const content = readDocument(files, path, kind);
    if (content === undefined) return undefined;
    if (typeof content.id !== "string" || !Array.isArray(content.volumes)) {
      throw new StopError(`${path} does not say which group it is for`);
    }
    return new GroupStateFile(files, path, content as unknown as GroupState);
  }

  static async create(files: Files, path: string, state: GroupState): Promise<GroupStateFile> {
    const file = new GroupStateFile(files, path, state);
    await file.update({});
    return file;
  }

  get state(): GroupState {
    return this.#state;
  }

  /** Holds at once in memory; resolves when it is durable, together with all changes before it. */
  update(change: Partial<GroupState>): Promise<void> {
    this.#state = { ...this.#state, ...change };
    return this.#publish();
  }

  /** Raises the ceiling; it holds only when it is durable. */
  async reserve(seqCeiling: number): Promise<void> {
    this.#ceilingWanted = Math.max(this.#ceilingWanted, seqCeiling);
    await this.#publish();
    this.#state = { ...this.#state, seqCeiling: Math.max(this.#state.seqCeiling, seqCeiling) };
  }

  /** What is written is what holds when the turn comes, so that no later publication takes back an earlier one. */
  #publish(): Promise<void> {
    const published = this.#published.then(() => {
      const seqCeiling = Math.max(this.#state.seqCeiling, this.#ceilingWanted);
      return publishDocument(this.#files, this.#path, kind, { ...this.#state, seqCeiling });
    });
    // Whoever waits for this one hears of its failure; those after it try for themselves.
    this.#published = published.catch(() => {});
    return published;
  }
}
