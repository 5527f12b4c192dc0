/**
 * The views that there are, durably: each has a folder with a document of what it is, and with its own journals where it is
 * writable. What is not told by a document was never opened, or is thrown away, and goes.
 */
import { dirname, join } from "node:path";
import { isOwnFault } from "#src/core/assert.ts";
import { StopError } from "#src/core/errors.ts";
import { publishDocument, readDocument } from "#src/host/document.ts";
import type { Files } from "#src/host/files.ts";
import { inWords } from "#src/host/system-words.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { ViewDefinition } from "./view.ts";

const kind = { format: "tidemark-view", version: 1 } as const;
const documentName = "view.json";

export class ViewShelf {
  readonly #files: Files;
  readonly #folder: string;
  readonly #views = new Map<string, ViewDefinition>();
  /** The folder of all views has its name durably: known once that was synced. */
  #isNamed = false;
  /** Views of which nobody knows what they are, by their ids. */
  readonly damaged = new Map<string, Error>();

  private constructor(files: Files, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  /** What is damaged is in `damaged`, and stays as it is: views are no reason for the rest not to start. */
  static open(files: Files, folder: string): ViewShelf {
    files.makeFolder(folder);
    const shelf = new ViewShelf(files, folder);
    for (const { name, isFolder } of files.entries(folder)) if (isFolder) shelf.#look(name);
    return shelf;
  }

  #look(id: string): void {
    try {
      this.#find(id);
    } catch (error) {
      if (isOwnFault(error)) throw error;
      this.damaged.set(id, error as Error);
    }
  }

  #find(id: string): void {
    const path = join(this.folderOf(id), documentName);
    const content = readDocument(this.#files, path, kind);
    if (content === undefined) return;
    const view = content as unknown as ViewDefinition;
    const numbers = [view.volume, view.seq, view.timeMicros, view.incarnation, view.openedMs];
    const texts = [view.name, view.group, view.groupName, view.volumeName];
    const isWhole =
      view.id === id &&
      numbers.every(Number.isSafeInteger) &&
      texts.every((one) => typeof one === "string") &&
      (view.since ?? []).every(({ name, seq }) => typeof name === "string" && Number.isSafeInteger(seq));
    if (!isWhole) throw new StopError(`${path} does not say what the view is`);
    this.#views.set(id, view);
  }

  /** What there is no other way out of: nobody is asked about a view of which nobody knows what it is. */
  get troubles(): readonly string[] {
    return [...this.damaged].map(
      ([id, error]) =>
        `a view cannot be opened any more (${inWords(error)}), and its point stays held: while the program does not run, ` +
        `removing ${this.folderOf(id)} gives up both`,
    );
  }

  /** In the order in which they were opened. */
  get all(): readonly ViewDefinition[] {
    return [...this.#views.values()].sort((a, b) => a.openedMs - b.openedMs);
  }

  byName(name: string): ViewDefinition | undefined {
    return this.all.find((view) => view.name === name);
  }

  folderOf(id: string): string {
    return join(this.#folder, id);
  }

  /** Durably; also a change of one that is there. */
  async put(view: ViewDefinition): Promise<void> {
    const folder = this.folderOf(view.id);
    this.#files.makeFolder(folder);
    if (!this.#isNamed) await whenDone((done) => this.#files.syncFolder(dirname(this.#folder), done));
    this.#isNamed = true;
    await whenDone((done) => this.#files.syncFolder(this.#folder, done));
    await publishDocument(this.#files, join(folder, documentName), kind, view);
    this.#views.set(view.id, view);
  }

  /** With all that was written to it. Its document goes first. */
  async remove(id: string): Promise<void> {
    const folder = this.folderOf(id);
    const path = join(folder, documentName);
    if (this.#files.exists(path)) this.#files.remove(path);
    const isThere = this.#files.exists(folder);
    if (isThere) await whenDone((done) => this.#files.syncFolder(folder, done));
    this.#views.delete(id);
    if (isThere) this.#empty(folder);
  }

  /** Of a view that is gone, whose folder is there and empty. `taken`: ids that are not free yet. Undefined: there is none. */
  freeId(taken: { has(id: string): boolean }): string | undefined {
    this.sweep();
    const isId = (name: string) => /^[0-9a-f]{32}$/.test(name) && !this.#isInUse(name) && !taken.has(name);
    return this.#files.entries(this.#folder).find(({ name, isFolder }) => isFolder && isId(name))?.name;
  }

  /** The folders themselves stay, empty, and are used again. */
  #empty(folder: string): void {
    for (const { name, isFolder } of this.#files.entries(folder)) {
      if (isFolder) this.#empty(join(folder, name));
      else this.#files.remove(join(folder, name));
    }
  }

  #isInUse(id: string): boolean {
    return this.#views.has(id) || this.damaged.has(id);
  }

  /** What is left of views that were being thrown away. */
  sweep(): void {
    for (const { name, isFolder } of this.#files.entries(this.#folder)) {
      if (isFolder && !this.#isInUse(name)) this.#empty(this.folderOf(name));
    }
  }
}
