/** Where the files of a simulated disk are, and whether their names would be there after a power cut. */
import type { SimFile } from "#test/sim/sim-file.ts";
import type { SimFolder } from "#test/sim/sim-folder.ts";

/** All files by their paths. */
export function filesOf(folder: SimFolder, path = ""): Map<string, SimFile> {
  const found = new Map<string, SimFile>();
  for (const [name, node] of folder.names) {
    if (node.kind === "file") found.set(`${path}/${name}`, node);
    else for (const [below, file] of filesOf(node, `${path}/${name}`)) found.set(below, file);
  }
  return found;
}

export function hasName(folder: SimFolder, file: SimFile): boolean {
  for (const node of folder.names.values()) {
    if (node === file || (node.kind === "folder" && hasName(node, file))) return true;
  }
  return false;
}

/** Whether a power cut leaves the file its name. */
export function isNameDurable(folder: SimFolder, file: SimFile): boolean {
  for (const node of folder.durableNames.values()) {
    if (node === file || (node.kind === "folder" && isNameDurable(node, file))) return true;
  }
  return false;
}

/** A state of a file that a sync may have made durable. */
export class Written {
  readonly #file: SimFile;
  readonly #changeCount: number;
  #wasDurable = false;

  constructor(file: SimFile) {
    this.#file = file;
    this.#changeCount = file.changeCount;
  }

  /** What was written up to then is safe, and so is the file's name. */
  isDurable(root: SimFolder): boolean {
    if (this.#wasDurable) return true;
    this.#wasDurable = this.#file.isDurable(this.#changeCount) && isNameDurable(root, this.#file);
    return this.#wasDurable;
  }
}
