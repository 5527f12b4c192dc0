/** The snapshot as an object (docs/formats.md): its name, and what its footer says. */
import { assert } from "#src/core/assert.ts";
import { getLe32, getLe64, putLe32, putLe64 } from "#src/core/little-endian.ts";
import { kindNumbersBytes, type ObjectIdentity, objectKind } from "#src/store/object-format.ts";
import type { ObjectName } from "#src/store/objects.ts";

export interface SnapshotIdentity {
  /** 32 hexadecimal digits. */
  readonly group: string;
  /** The last record that is in it. */
  readonly seq: number;
}

const folder = "snapshots/";
const seqDigits = 16;
const onlyGeneration = ".0000";

/** The names of all of a group's snapshots begin so. Their order is that of their seqs. */
export function snapshotPrefix(group: string): string {
  return `${folder}${group}/`;
}

export function snapshotName({ group, seq }: SnapshotIdentity): ObjectName {
  return `${snapshotPrefix(group)}${String(seq).padStart(seqDigits, "0")}${onlyGeneration}`;
}

/** Undefined: no snapshot is named so. */
export function snapshotOfName(name: ObjectName): SnapshotIdentity | undefined {
  const match = /^snapshots\/([0-9a-f]{32})\/(\d{16})\.0000$/.exec(name);
  const identity = { group: match?.[1] ?? "", seq: Number(match?.[2]) };
  return match !== null && Number.isSafeInteger(identity.seq) ? identity : undefined;
}

export function objectOfSnapshot({ group, seq }: SnapshotIdentity): ObjectIdentity {
  return { kind: objectKind.snapshot, group, number: seq, generation: 0 };
}

/** What the footer says. */
export interface SnapshotNumbers {
  /** Of the last record. */
  readonly timeMicros: number;
  readonly epoch: number;
  /** Nodes that lie in the object itself, and their bytes with the headers of their parts. */
  readonly nodeCount: number;
  readonly nodeBytes: number;
  readonly volumeCount: number;
  /** Earlier snapshots whose nodes it points to. */
  readonly sourceCount: number;
  /** Rows of blocks in journals that its own nodes point to. */
  readonly journalPointers: number;
  /** Nodes in earlier snapshots that its own nodes and its table point to. */
  readonly snapshotPointers: number;
}

const at = {
  time: 0,
  nodeBytes: 8,
  nodeCount: 16,
  epoch: 20,
  volumeCount: 24,
  sourceCount: 28,
  journal: 32,
  snapshot: 40,
};
const reservedAt = 48;

export function encodeSnapshotNumbers(numbers: SnapshotNumbers): Buffer {
  const bytes = Buffer.alloc(kindNumbersBytes);
  assert(areSafe(numbers), "only what can be read is written");
  putLe64(bytes, at.time, numbers.timeMicros);
  putLe64(bytes, at.nodeBytes, numbers.nodeBytes);
  putLe32(bytes, at.nodeCount, numbers.nodeCount);
  putLe32(bytes, at.epoch, numbers.epoch);
  putLe32(bytes, at.volumeCount, numbers.volumeCount);
  putLe32(bytes, at.sourceCount, numbers.sourceCount);
  putLe64(bytes, at.journal, numbers.journalPointers);
  putLe64(bytes, at.snapshot, numbers.snapshotPointers);
  return bytes;
}

/** Undefined: no snapshot has such numbers. */
export function decodeSnapshotNumbers(bytes: Buffer): SnapshotNumbers | undefined {
  const numbers = {
    timeMicros: getLe64(bytes, at.time),
    nodeBytes: getLe64(bytes, at.nodeBytes),
    nodeCount: getLe32(bytes, at.nodeCount),
    epoch: getLe32(bytes, at.epoch),
    volumeCount: getLe32(bytes, at.volumeCount),
    sourceCount: getLe32(bytes, at.sourceCount),
    journalPointers: getLe64(bytes, at.journal),
    snapshotPointers: getLe64(bytes, at.snapshot),
  };
  const isRestZero = bytes.subarray(reservedAt).every((byte) => byte === 0);
  return isRestZero && areSafe(numbers) ? numbers : undefined;
}

function areSafe({ timeMicros, nodeBytes, journalPointers, snapshotPointers }: SnapshotNumbers): boolean {
  return Math.max(timeMicros, nodeBytes, journalPointers, snapshotPointers) <= Number.MAX_SAFE_INTEGER;
}
