/**
 * Which store belongs to the data folder of a remote appliance: noted in the folder, and who may write in the store. What was
 * noted of a group's records counts for that store alone, so another one, an empty one, or one that a newer appliance has
 * taken is not gone on with. Nor is any, where nobody can read any more which it was.
 */
import { join } from "node:path";
import { isOwnFault } from "#src/core/assert.ts";
import { StopError } from "#src/core/errors.ts";
import { publishDocument, readMendedDocument } from "#src/host/document.ts";
import type { Files } from "#src/host/files.ts";
import type { Machine } from "#src/host/machine.ts";
import type { ReadableObjects } from "#src/store/objects.ts";
import { readStoreDocument } from "#src/store/store-document-copies.ts";
import { heldByAnother, holderBytes, readStoreHolder, type StoreHolder } from "#src/store/store-holder.ts";

const kind = { format: "tidemark-remote-store", version: 1 } as const;

/** What the folder says. */
export interface NotedStore {
  /** Null: nobody had made it yet. */
  readonly store: string | null;
  /** By what the store knows who writes to it. */
  readonly holder: string;
  /** The folder is being made of the store's objects. */
  readonly isRebuilding: boolean;
}

/** What there is. Undefined: no store. */
export type FoundStore = { readonly id: string; readonly holder: StoreHolder | undefined } | undefined;

export async function findStore(objects: ReadableObjects): Promise<FoundStore> {
  const document = await readStoreDocument(objects);
  return document === undefined ? undefined : { id: document.id, holder: await readStoreHolder(objects) };
}

/** Why the one does not belong to the other, and what to do. Undefined: it does. `place`: the store's, for people. */
export function bindingTrouble(noted: NotedStore | undefined, found: FoundStore, place: string): string | undefined {
  if (noted?.isRebuilding === true) {
    return "this data folder is being made of its store, and that did not come to its end: run 'tidemark rebuild' again";
  }
  if (found === undefined) {
    if ((noted?.store ?? null) === null) return undefined;
    const wayOut = "Bring it back and start anew; if it is lost, 'tidemark rebuild --in-place' begins another";
    return `the store is gone from ${place}: its disk is not mounted, or was lost. ${wayOut}`;
  }
  if (noted !== undefined && noted.store !== null && noted.store !== found.id) {
    const wayOut = "set store.folder to that one; if it is lost, 'tidemark rebuild' goes on with what this one has";
    return `the store in ${place} is not the one that there was: ${wayOut}`;
  }
  const { holder } = found;
  return holder === undefined || holder.holder === noted?.holder ? undefined : heldByAnother(holder).message;
}

export interface StoreBindingParts {
  readonly machine: Pick<Machine, "files" | "randomness">;
  /** Of the remote appliance. */
  readonly folder: string;
  readonly objects: ReadableObjects;
  /** Of the store, for people. */
  readonly place: string;
}

export class StoreBinding {
  readonly #files: Files;
  readonly #folder: string;
  /** Why the store is not the folder's, and what to do. Undefined: it is. */
  readonly trouble: string | undefined;
  #noted: NotedStore;
  #noting: Promise<void> | undefined;

  private constructor(files: Files, folder: string, noted: NotedStore, trouble: string | undefined) {
    this.#files = files;
    this.#folder = folder;
    this.#noted = noted;
    this.trouble = trouble;
  }

  static async open({ machine, folder, objects, place }: StoreBindingParts): Promise<StoreBinding> {
    const { files, randomness } = machine;
    const { noted, isMended, damage } = findNotedStore(files, folder);
    const found = await findStore(objects);
    const trouble = damage === undefined ? bindingTrouble(noted, found, place) : inWords(damage);
    if (noted !== undefined && isMended) await writeAnew(files, folder, noted);
    if (noted !== undefined || trouble !== undefined) {
      return new StoreBinding(files, folder, noted ?? newBinding(randomness, null), trouble);
    }
    // A new folder, or one of before this was noted.
    const binding = newBinding(randomness, found?.id ?? null);
    await noteStore(files, folder, binding);
    return new StoreBinding(files, folder, binding, undefined);
  }

  get holder(): string {
    return this.#noted.holder;
  }

  /** Undefined: nobody had made it yet. */
  get store(): string | undefined {
    return this.#noted.store ?? undefined;
  }

  /** Throws a `StopError` where the store is not the folder's. */
  assertSound(): void {
    if (this.trouble !== undefined) throw new StopError(this.trouble);
  }

  /** Before anything is removed here that the store has: it is known from then on. Several may ask for it at once. */
  note(objects: ReadableObjects): Promise<void> {
    this.#noting ??= this.#note(objects).finally(() => {
      this.#noting = undefined;
    });
    return this.#noting;
  }

  async #note(objects: ReadableObjects): Promise<void> {
    if (this.#noted.store !== null || this.trouble !== undefined) return;
    const document = await readStoreDocument(objects);
    if (document === undefined) return;
    const noted = { ...this.#noted, store: document.id };
    await noteStore(this.#files, this.#folder, noted);
    this.#noted = noted;
  }
}

export const bindingName = "binding.json";

function pathIn(folder: string): string {
  return join(folder, bindingName);
}

function inWords({ message }: StopError): string {
  const wayOut = "'tidemark rebuild --in-place' writes it anew, if the store is this data folder's still";
  return `nobody can say which store belongs to this data folder, since ${message}: ${wayOut}`;
}

/** A bit of it had been turned, which is turned back at the next start too where this fails. Two would be too many. */
async function writeAnew(files: Files, folder: string, noted: NotedStore): Promise<void> {
  try {
    await noteStore(files, folder, noted);
  } catch (error) {
    if (isOwnFault(error)) throw error;
  }
}

export interface FoundNote {
  /** Undefined: the folder is new, or of before this was noted; or nobody can read it. */
  readonly noted?: NotedStore | undefined;
  /** A bit of it had been turned, and is turned back here. */
  readonly isMended: boolean;
  /** Why nobody can read it. */
  readonly damage?: StopError;
}

export function findNotedStore(files: Files, folder: string): FoundNote {
  try {
    const found = readMendedDocument(files, pathIn(folder), kind);
    return { noted: found && notedIn(found.content, pathIn(folder)), isMended: found?.isMended === true };
  } catch (error) {
    if (!(error instanceof StopError)) throw error;
    return { isMended: false, damage: error };
  }
}

/** Undefined: the folder is new, or of before this was noted. Throws a `StopError` where nobody can read it. */
export function readNotedStore(files: Files, folder: string): NotedStore | undefined {
  const { noted, damage } = findNotedStore(files, folder);
  if (damage !== undefined) throw new StopError(inWords(damage), { cause: damage });
  return noted;
}

function notedIn({ store, holder, isRebuilding }: Record<string, unknown>, path: string): NotedStore {
  const isWhole =
    (store === null || isHexadecimal(store)) && isHexadecimal(holder) && typeof isRebuilding === "boolean";
  if (!isWhole) throw new StopError(`${path} does not say which store belongs to this data folder`);
  return { store: store as string | null, holder: holder as string, isRebuilding };
}

export async function noteStore(files: Files, folder: string, noted: NotedStore): Promise<void> {
  await publishDocument(files, pathIn(folder), kind, noted);
}

export function newBinding(randomness: Machine["randomness"], store: string | null): NotedStore {
  return { store, holder: randomness.bytes(holderBytes).toString("hex"), isRebuilding: false };
}

function isHexadecimal(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{32}$/.test(value);
}
