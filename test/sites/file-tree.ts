/** Where the files of a simulated disk are, and whether their names would be there after a power cut. */
import type { SimFile } from "#test/sim/sim-file.ts";
import type { SimFolder, SimNode } from "#test/sim/sim-folder.ts";

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

/** Undefined: there is nothing, nor perhaps any of the folders on the way. */
export function nodeAt(root: SimFolder, path: string): SimNode | undefined {
  let node: SimNode | undefined = root;
  for (const name of path.slice(1).split("/")) node = node?.kind === "folder" ? node.names.get(name) : undefined;
  return node;
}

/** What a file holds now, whatever is ordered to fail for those who read it in another way. */
export function bytesAt(root: SimFolder, path: string): Buffer | undefined {
  const node = nodeAt(root, path);
  if (node?.kind !== "file") return undefined;
  const bytes = Buffer.alloc(node.current.sizeBytes);
  node.current.read(bytes, 0, bytes.length, 0);
  return bytes;
}

/** What a power cut leaves in this place. */
export function durableNode(root: SimFolder, path: string): SimNode | undefined {
  let node: SimNode | undefined = root;
  for (const name of path.slice(1).split("/")) node = node?.kind === "folder" ? node.durableNames.get(name) : undefined;
  return node;
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
