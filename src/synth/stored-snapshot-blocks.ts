/**
 * What the snapshots hold that only they hold, as the scrub asks for it: that of the base, and of those before it that pins
 * keep. Each tree of these is walked wholly, also where two share nodes: it is asked only where something is damaged. Of all
 * others that are kept each node is looked at once.
 */
import { StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { endOfBlocks } from "#src/journals/block-extent.ts";
import type { LostSnapshot, SnapshotBlockRow, SnapshotBlocks, SnapshotDamage } from "#src/journals/snapshot-blocks.ts";
import { storedGroups } from "#src/journals/stored-group.ts";
import { holeAddress } from "#src/records/address.ts";
import { isObjectThere } from "#src/store/object-presence.ts";
import { AbsentObjectError, type ReadableObjects } from "#src/store/objects.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { GatheredPace } from "./gathered-pace.ts";
import { type HistoryDocument, readHistory } from "./history-document.ts";
import { seqsOfSnapshots } from "./history-names.ts";
import { isKept, neededAlone } from "./kept-snapshots.ts";
import { Snapshot } from "./snapshot.ts";
import { snapshotName, snapshotOfName } from "./snapshot-format.ts";
import type { NodePointer, TreeRoot } from "./tree-node.ts";

/** What is read of a snapshot for each. */
const extentBytesAbout = 10;

export interface StoredSnapshotParts {
  readonly objects: ReadableObjects;
  /** Of the store. */
  readonly key: Buffer | undefined;
}

export class StoredSnapshotBlocks implements SnapshotBlocks {
  readonly #parts: StoredSnapshotParts;

  constructor(parts: StoredSnapshotParts) {
    this.#parts = parts;
  }

  async groups(): Promise<readonly string[]> {
    // Of one that has lost its only snapshot no name of one tells.
    const groups = new Set(await storedGroups(this.#parts.objects));
    for await (const { name } of this.#parts.objects.list("snapshots/")) {
      const identity = snapshotOfName(name);
      if (identity !== undefined) groups.add(identity.group);
    }
    return [...groups];
  }

  async expiredSeq(group: string): Promise<number> {
    const { document } = await readHistory(this.#parts.objects, group);
    return document.behind?.lastSeq ?? -1;
  }

  async lost(group: string): Promise<readonly LostSnapshot[]> {
    const { objects } = this.#parts;
    const { document } = await readHistory(objects, group);
    const lost: LostSnapshot[] = [];
    for (const seq of neededAlone(document)) {
      const object = snapshotName({ group, seq });
      if (!(await isObjectThere(objects, object))) lost.push({ object, seq, isBase: seq === document.basedOn });
    }
    return lost;
  }

  async *rows(group: string, control: WorkControl): AsyncGenerator<SnapshotBlockRow, void> {
    const { objects, key } = this.#parts;
    const { document } = await readHistory(objects, group);
    const pace = new GatheredPace(control);
    for (const seq of needed(document, await seqsOfSnapshots(objects, group))) {
      control.throwIfCancelled();
      const snapshot = await Snapshot.open(objects, { group, seq }, key);
      const { timeMicros } = snapshot.numbers;
      const facts = { seq, timeMicros, isBase: seq === document.basedOn };
      for (const { number } of snapshot.volumes) {
        for await (const page of snapshot.changes(number, -1)) {
          for (const { volume, startBlock, blockCount, address } of page) {
            if (address !== holeAddress) yield { volume, startBlock, blockCount, address, ...facts };
          }
          await pace.add(page.length * extentBytesAbout);
        }
      }
    }
  }

  async *damages(group: string, isDeep: boolean, control: WorkControl): AsyncGenerator<SnapshotDamage, void> {
    const { objects, key } = this.#parts;
    const { document } = await readHistory(objects, group);
    const there = await seqsOfSnapshots(objects, group);
    const needs = needed(document, there);
    const helps = there.filter((seq) => isKept(document, seq) && !needs.includes(seq));
    const walked = new Set<number>();
    for (const seq of [...needs, ...helps]) {
      control.throwIfCancelled();
      const isNeeded = needs.includes(seq);
      const facts = { seq, isBase: seq === document.basedOn, isNeeded };
      const snapshot = await orDamage(() => Snapshot.open(objects, { group, seq }, key));
      if (!(snapshot instanceof Snapshot)) {
        yield { object: snapshotName({ group, seq }), finding: snapshot.message, blocks: undefined, ...facts };
        continue;
      }
      if (!isDeep) continue;
      const { timeMicros } = snapshot.numbers;
      const pace = new GatheredPace(control);
      // All that lies in the object of one is below its own roots.
      const isPassedOver = ({ snapshotSeq }: NodePointer): boolean => !isNeeded && walked.has(snapshotSeq);
      for (const { number: volume, layers, identity } of snapshot.volumes) {
        for (const layer of layers) {
          const hurt = hurtNodes(snapshot, volume, layer, { sizeBytes: identity?.sizeBytes, pace, isPassedOver });
          for await (const { pointer, endBlock, finding } of hurt) {
            const { startBlock, snapshotSeq } = pointer;
            const blocks = { volume, startBlock, blockCount: endBlock - startBlock, timeMicros };
            yield { object: snapshotName({ group, seq: snapshotSeq }), finding, blocks, ...facts };
          }
        }
      }
      walked.add(seq);
    }
  }
}

interface HurtNode {
  readonly pointer: NodePointer;
  /** What lies below it ends before. */
  readonly endBlock: number;
  readonly finding: string;
}

interface NodeWalk {
  readonly sizeBytes: number | undefined;
  readonly pace: GatheredPace;
  readonly isPassedOver: (pointer: NodePointer) => boolean;
}

async function* hurtNodes(
  snapshot: Snapshot,
  volume: number,
  root: TreeRoot,
  { sizeBytes, pace, isPassedOver }: NodeWalk,
): AsyncGenerator<HurtNode, void> {
  const end = sizeBytes === undefined ? endOfBlocks : Math.ceil(sizeBytes / blockBytes);
  const left = [{ ...root, endBlock: Math.max(end, root.pointer.startBlock + 1) }];
  for (let tree = left.pop(); tree !== undefined; tree = left.pop()) {
    const { pointer, height, endBlock } = tree;
    if (isPassedOver(pointer)) continue;
    const children = await orDamage(() => childrenOf(snapshot, volume, pointer, height));
    await pace.add(pointer.storedBytes);
    if (children instanceof Error) yield { pointer, endBlock, finding: children.message };
    else {
      for (const [index, child] of children.entries()) {
        left.push({ pointer: child, height: height - 1, endBlock: children[index + 1]?.startBlock ?? endBlock });
      }
    }
  }
}

/** None of a leaf that can be read. */
async function childrenOf(
  { nodes }: Snapshot,
  volume: number,
  pointer: NodePointer,
  height: number,
): Promise<readonly NodePointer[]> {
  if (height > 0) return await nodes.inner(volume, pointer, height);
  await nodes.leaf(volume, pointer);
  return [];
}

async function orDamage<Read>(read: () => Promise<Read>): Promise<Read | Error> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof StopError || error instanceof AbsentObjectError) return error;
    throw error;
  }
}

/** The base last. Also those that are not there: that is for whoever opens them to find. */
function needed(history: HistoryDocument, there: readonly number[]): number[] {
  const { basedOn } = history;
  const kept = there.filter((seq) => seq < basedOn && isKept(history, seq));
  return [...new Set([...kept, ...neededAlone(history)])].sort((a, b) => a - b);
}
