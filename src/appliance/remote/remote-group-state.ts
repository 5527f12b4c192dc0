/**
 * What the remote appliance must know for certain of a group, beside its journals: who may write, and how far the
 * journals were durable when that was last noted. Changes are published one after the other.
 */
import { join } from "node:path";
import { StopError } from "#src/core/errors.ts";
import { type DocumentKind, publishDocument, readMendedDocument } from "#src/host/document.ts";
import type { Files } from "#src/host/files.ts";
import { type JournalStart, wholeJournal } from "#src/journals/journal-start.ts";
import type { RemoteVolume } from "#src/journals/volume-table.ts";
import type { Writer } from "./receiver.ts";

const kind: DocumentKind = { format: "tidemark-remote-group", version: 1 };

export interface RemoteGroupState extends Writer {
  readonly id: string;
  readonly name: string;
  /** Of the metadata journal. */
  readonly incarnation: number;
  /** The journals are durable up to here. */
  readonly checkpointSeq: number;
  /** The store alone had all up to there when this was last noted: one that has less is not the one that there was. */
  readonly storedSeq: number;
  /** All before it is in the store alone. */
  readonly journalStart: JournalStart;
  /** Those that a durable record speaks of, up to the checkpoint. */
  readonly volumes: readonly RemoteVolume[];
}

export class RemoteGroupStateFile {
  readonly #files: Files;
  readonly #path: string;
  /** A bit of the file had been turned, and has been ever since, unless it was written anew. */
  readonly isMended: boolean;
  #state: RemoteGroupState;
  #published: Promise<void> = Promise.resolve();

  private constructor(files: Files, path: string, state: RemoteGroupState, isMended: boolean) {
    this.#files = files;
    this.#path = path;
    this.#state = state;
    this.isMended = isMended;
  }

  /** Undefined: the group was never made whole. */
  static read(files: Files, folder: string, id: string): RemoteGroupStateFile | undefined {
    const path = join(folder, "group.json");
    const found = readMendedDocument(files, path, kind);
    if (found === undefined) return undefined;
    // Those of before there was a store do not have them.
    const state = { storedSeq: 0, journalStart: wholeJournal, ...found.content } as unknown as RemoteGroupState;
    if (!isWhole(state) || state.id !== id) throw new StopError(`${path} is not the state of the group ${id}`);
    return new RemoteGroupStateFile(files, path, state, found.isMended);
  }

  static async create(files: Files, folder: string, state: RemoteGroupState): Promise<RemoteGroupStateFile> {
    const file = new RemoteGroupStateFile(files, join(folder, "group.json"), state, false);
    await file.update({});
    return file;
  }

  get state(): RemoteGroupState {
    return this.#state;
  }

  /** Holds in memory when it is durable; resolves then. Changes are made one after the other. */
  update(change: Partial<RemoteGroupState>): Promise<void> {
    const published = this.#published.then(async () => {
      const state = { ...this.#state, ...change };
      await publishDocument(this.#files, this.#path, kind, state);
      this.#state = state;
    });
    // Whoever waits for this one hears of its failure; those after it try for themselves.
    this.#published = published.catch(() => {});
    return published;
  }
}

function isWhole({
  life,
  epoch,
  incarnation,
  checkpointSeq,
  storedSeq,
  journalStart,
  volumes,
}: RemoteGroupState): boolean {
  const start = [journalStart?.seq, journalStart?.epoch, journalStart?.timeMicros];
  const numbers = [life, epoch, incarnation, checkpointSeq, storedSeq, ...start];
  return numbers.every((number) => Number.isSafeInteger(number)) && Array.isArray(volumes);
}
