/**
 * Reads nodes of a snapshot's tree, in whichever snapshots' objects they lie. Everything is checked: that the object is the
 * one that was meant, the part, and that the node is what points to it says. It keeps so many objects open, and no nodes.
 */
import { snapshotLeafExtentsMax, snapshotOpenSourcesMax } from "#src/core/store-limits.ts";
import type { BlockExtent } from "#src/journals/block-extent.ts";
import { decodeExtentPage } from "#src/journals/extent-page.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { ObjectSource } from "#src/store/object-ends.ts";
import { ObjectFile, type OpenedPart } from "#src/store/object-file.ts";
import { objectHeaderBytes } from "#src/store/object-format.ts";
import { partType, type WantedPart } from "#src/store/part.ts";
import { readAgain } from "#src/store/read-again.ts";
import { objectOfSnapshot, snapshotName } from "./snapshot-format.ts";
import { decodeInnerNode, type NodePointer, newestSeqIn, newestSeqOf } from "./tree-node.ts";

export interface NodeReaderParts {
  readonly objects: ObjectSource;
  readonly group: string;
  /** Of the store. */
  readonly key: Buffer | undefined;
  /** Of the object of each snapshot that has nodes of the tree. */
  readonly salts: ReadonlyMap<number, Buffer>;
}

export class NodeReader {
  readonly #parts: NodeReaderParts;
  /** The one asked for last is last. */
  readonly #files = new Map<number, Promise<ObjectFile>>();

  constructor(parts: NodeReaderParts) {
    this.#parts = parts;
  }

  async leaf(volume: number, pointer: NodePointer): Promise<readonly BlockExtent[]> {
    const { file, wanted, content } = await this.#content(pointer, partType.extents);
    const extents = decodeExtentPage(content);
    const isIt =
      extents !== undefined &&
      extents.length <= snapshotLeafExtentsMax &&
      extents[0]?.startBlock === pointer.startBlock &&
      extents.every((extent) => extent.volume === volume) &&
      newestSeqIn(extents) === pointer.newestSeq;
    if (isIt) return extents;
    throw notThat(file, wanted);
  }

  async inner(volume: number, pointer: NodePointer, height: number): Promise<readonly NodePointer[]> {
    const { file, wanted, content } = await this.#content(pointer, partType.nodes);
    const node = decodeInnerNode(content);
    const isIt =
      node?.volume === volume &&
      node.height === height &&
      node.children[0]?.startBlock === pointer.startBlock &&
      node.children.every(({ snapshotSeq }) => this.#parts.salts.has(snapshotSeq)) &&
      newestSeqOf(node.children) === pointer.newestSeq;
    if (isIt) return node.children;
    throw notThat(file, wanted);
  }

  /** What lies in the object of this snapshot, from where a part begins on. */
  async *parts(seq: number, from: number): AsyncGenerator<OpenedPart | ObjectDamageError, void> {
    yield* (await this.#file(seq)).parts(Math.max(from, objectHeaderBytes));
  }

  async #content(
    { snapshotSeq, offset, storedBytes }: NodePointer,
    type: typeof partType.extents | typeof partType.nodes,
  ) {
    const file = await this.#file(snapshotSeq);
    const wanted: WantedPart = { type, offset, storedBytes };
    return { file, wanted, content: await readAgain(() => file.readNewPart(wanted)) };
  }

  #file(seq: number): Promise<ObjectFile> {
    const known = this.#files.get(seq);
    const file = known ?? this.#opened(seq);
    this.#files.delete(seq);
    this.#files.set(seq, file);
    if (known === undefined) {
      file.catch(() => this.#files.delete(seq));
      for (const [oldest] of this.#files) {
        if (this.#files.size <= snapshotOpenSourcesMax) break;
        this.#files.delete(oldest);
      }
    }
    return file;
  }

  async #opened(seq: number): Promise<ObjectFile> {
    const { objects, group, key, salts } = this.#parts;
    const identity = { group, seq };
    const open = () => ObjectFile.open(objects, snapshotName(identity), objectOfSnapshot(identity), key);
    const file = await readAgain(open);
    if (salts.get(seq)?.equals(file.header.salt) === true) return file;
    throw new ObjectDamageError(file.name, "header", "it is not the one that was pointed to");
  }
}

function notThat(file: ObjectFile, wanted: WantedPart): ObjectDamageError {
  return new ObjectDamageError(file.name, wanted, "it does not hold what it should");
}
