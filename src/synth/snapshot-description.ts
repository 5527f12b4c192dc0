/**
 * What lies in a snapshot's object, for people: the volumes, the earlier snapshots that it needs, and where its pointers lead:
 * into data journals and into earlier snapshots. Looks at this one object alone.
 */
import { RefuseError } from "#src/core/errors.ts";
import { decodeExtentPage } from "#src/journals/extent-page.ts";
import { holeAddress, segmentOf } from "#src/records/address.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { ObjectSource } from "#src/store/object-ends.ts";
import { ObjectFile, type OpenedPart } from "#src/store/object-file.ts";
import { decodeObjectHeader, objectHeaderBytes, objectKind } from "#src/store/object-format.ts";
import { partType } from "#src/store/part.ts";
import { Snapshot } from "./snapshot.ts";
import { objectOfSnapshot } from "./snapshot-format.ts";
import type { SnapshotVolume } from "./snapshot-table.ts";
import { decodeInnerNode, type NodePointer } from "./tree-node.ts";
import { isPoint } from "./volume-state.ts";

export interface SnapshotItem {
  readonly kind: "snapshot";
  readonly object: string;
  readonly sizeBytes: number;
  readonly group: string;
  readonly seq: number;
  readonly epoch: number;
  readonly timeMicros: number;
  /** The snapshot that it was synthesized from; 0: none. */
  readonly baseSeq: number;
  readonly nodeCount: number;
  readonly nodeBytes: number;
}

export interface SnapshotVolumeItem {
  readonly kind: "volume";
  readonly volume: number;
  readonly name?: string;
  readonly id?: string;
  readonly sizeBytes?: number;
  readonly isPoint: boolean;
}

/** An earlier snapshot without whose object it cannot be read. */
export interface SnapshotSourceItem {
  readonly kind: "source";
  readonly seq: number;
  readonly usedNodes: number;
  readonly usedBytes: number;
  readonly nodeBytes: number;
}

/** Pointers of the table, and of the nodes that lie in the object itself. */
export interface SnapshotPointersItem {
  readonly kind: "pointers";
  readonly into: "journal" | "snapshot";
  /** Of the journal. */
  readonly level?: number;
  readonly firstSegment?: number;
  readonly lastSegment?: number;
  readonly blocks?: number;
  /** Of the snapshot. */
  readonly seq?: number;
  readonly pointers: number;
}

export interface SnapshotFlawItem {
  readonly kind: "flaw";
  readonly message: string;
}

export type SnapshotDescriptionItem =
  | SnapshotItem
  | SnapshotVolumeItem
  | SnapshotSourceItem
  | SnapshotPointersItem
  | SnapshotFlawItem;

/**
 * `path` is what the source calls it, wherever it lies; `key` is the store's. Throws an `ObjectDamageError` where its beginning,
 * its end or its table are damaged, and a `RefuseError` where it is no snapshot, or its key is missing.
 */
export async function* describeSnapshot(
  source: ObjectSource,
  path: string,
  key?: Buffer,
): AsyncGenerator<SnapshotDescriptionItem, void> {
  const header = Buffer.alloc(objectHeaderBytes);
  const byteLength = await source.read(path, header, 0);
  const { kind, group, number: seq, isEncrypted } = decodeObjectHeader(header.subarray(0, byteLength), path);
  if (kind !== objectKind.snapshot) throw new RefuseError(`${path} is no snapshot`);
  if (isEncrypted && key === undefined) {
    throw new RefuseError(`${path} is encrypted: 'tidemark dump object' tells what can be seen of it`);
  }
  const named: ObjectSource = {
    read: (_name, target, position) => source.read(path, target, position),
    sizeBytes: () => source.sizeBytes(path),
  };
  const snapshot = await Snapshot.open(named, { group, seq }, key);
  const { numbers, sizeBytes, baseSeq } = snapshot;
  const { epoch, timeMicros, nodeCount, nodeBytes } = numbers;
  yield { kind: "snapshot", object: path, sizeBytes, group, seq, epoch, timeMicros, baseSeq, nodeCount, nodeBytes };
  for (const volume of snapshot.volumes) {
    yield { kind: "volume", volume: volume.number, ...volume.identity, isPoint: isPoint(volume) };
  }
  for (const { seq: sourceSeq, usedNodes, usedBytes, nodeBytes: allBytes } of snapshot.sources) {
    yield { kind: "source", seq: sourceSeq, usedNodes, usedBytes, nodeBytes: allBytes };
  }
  yield* pointersIn(await ObjectFile.open(named, path, objectOfSnapshot({ group, seq }), key), snapshot.volumes);
}

interface JournalPointers {
  readonly level: number;
  firstSegment: number;
  lastSegment: number;
  blocks: number;
  pointers: number;
}

async function* pointersIn(
  file: ObjectFile,
  volumes: readonly SnapshotVolume[],
): AsyncGenerator<SnapshotPointersItem | SnapshotFlawItem, void> {
  const journals = new Map<number, JournalPointers>();
  const snapshots = new Map<number, number>();
  for (const { layers } of volumes)
    countPointers(
      layers.map(({ pointer }) => pointer),
      snapshots,
    );
  for await (const part of file.parts()) {
    if (part instanceof ObjectDamageError) yield { kind: "flaw", message: part.message };
    else if (!count(part, journals, snapshots)) {
      const flaw = new ObjectDamageError(file.name, part, "it holds what cannot be");
      yield { kind: "flaw", message: flaw.message };
    }
  }
  for (const journal of journals.values()) yield { kind: "pointers", into: "journal", ...journal };
  for (const [seq, pointers] of snapshots) yield { kind: "pointers", into: "snapshot", seq, pointers };
}

/** False: it is no node. */
function count(part: OpenedPart, journals: Map<number, JournalPointers>, snapshots: Map<number, number>): boolean {
  if (part.type === partType.table) return true;
  if (part.type === partType.nodes) {
    const children = decodeInnerNode(part.content)?.children;
    countPointers(children ?? [], snapshots);
    return children !== undefined;
  }
  const extents = part.type === partType.extents ? decodeExtentPage(part.content) : undefined;
  for (const { level, address, blockCount } of extents ?? []) {
    if (address === holeAddress) continue;
    const segment = segmentOf(address);
    const none = { level, firstSegment: segment, lastSegment: segment, blocks: 0, pointers: 0 };
    const journal = journals.get(level) ?? none;
    journal.firstSegment = Math.min(journal.firstSegment, segment);
    journal.lastSegment = Math.max(journal.lastSegment, segment);
    journal.blocks += blockCount;
    journal.pointers++;
    journals.set(level, journal);
  }
  return extents !== undefined;
}

function countPointers(pointers: readonly NodePointer[], snapshots: Map<number, number>): void {
  for (const { snapshotSeq } of pointers) snapshots.set(snapshotSeq, (snapshots.get(snapshotSeq) ?? 0) + 1);
}

/** An item as a line of text. */
export function snapshotLine(item: SnapshotDescriptionItem): string {
  switch (item.kind) {
    case "snapshot": {
      const time = new Date(Math.floor(item.timeMicros / 1000)).toISOString();
      const from = item.baseSeq === 0 ? "of pieces alone" : `of snapshot ${item.baseSeq} and the pieces behind it`;
      return (
        `snapshot ${item.object}, ${item.sizeBytes} bytes, group ${item.group}: record ${item.seq} of epoch ${item.epoch}, ` +
        `${time}, made ${from}; ${item.nodeCount} nodes of its own, ${item.nodeBytes} bytes`
      );
    }
    case "volume": {
      const name = item.name === undefined ? "" : ` ${item.name} (${item.id}), ${item.sizeBytes} bytes`;
      return `  volume ${item.volume}${name}${item.isPoint ? "" : ", which has no point there"}`;
    }
    case "source":
      return `  uses ${item.usedNodes} nodes of snapshot ${item.seq}: ${item.usedBytes} of ${item.nodeBytes} bytes`;
    case "pointers": {
      if (item.into === "snapshot") return `  ${item.pointers} pointers to nodes in snapshot ${item.seq}`;
      const segments = `segments ${item.firstSegment} to ${item.lastSegment}`;
      return `  ${item.pointers} pointers to ${item.blocks} blocks in the data journal of level ${item.level}, ${segments}`;
    }
    case "flaw":
      return `  DAMAGED: ${item.message}`;
  }
}
