/**
 * The content of one simulated file: what programs see (`current`), what is on the disk, and the changes between the
 * two. At a power cut each piece of the disk keeps its content of some moment since the last sync, chosen for each
 * piece alone: so writes are lost, torn and reordered, but no piece ever holds what was never there.
 */
import { divFloor, rangesOverlap } from "#src/core/byte-range.ts";
import { MiB } from "#src/core/limits.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { SparseBytes } from "./sparse-bytes.ts";

export const sectorBytes = 512;
/** Beyond this a host writes back by itself, oldest first. */
const unsyncedBytesMax = 16 * MiB;
/** Fates drawn at most per power cut; beyond, the pieces become larger. */
const piecesMax = 50_000;

export type Change =
  | { readonly kind: "write"; readonly position: number; readonly lengthBytes: number; readonly bytes: Buffer }
  | {
      readonly kind: "zero";
      readonly position: number;
      readonly lengthBytes: number;
      readonly keepSpace: boolean;
    }
  | { readonly kind: "truncate"; readonly sizeBytes: number };

interface Damage {
  readonly position: number;
  readonly lengthBytes: number;
}

export class SimFile {
  readonly kind = "file";
  /** Syncs that failed so far, and what the last one said: every handle that was open then must hear of it. */
  syncFailureCount = 0;
  syncFailure: Error | null = null;
  #current = new SparseBytes();
  #durable = new SparseBytes();
  #unsynced: Change[] = [];
  #unsyncedBytes = 0;
  /** The changes made so far, and of these the ones that are on the disk or lost. */
  #changeCount = 0;
  #settledCount = 0;
  /** Changes that may have been lost: behind the first number, up to the second. */
  readonly #lost: [number, number][] = [];
  #damages: Damage[] = [];

  get unsyncedBytes(): number {
    return this.#unsyncedBytes;
  }

  get current(): SparseBytes {
    return this.#current;
  }

  get changeCount(): number {
    return this.#changeCount;
  }

  /** Of the changes made so far, the first so many are on the disk, or lost. */
  get settledCount(): number {
    return this.#settledCount;
  }

  /** Whether all of the first `changeCount` changes surely reached the disk, but for those that an accident settled before. */
  isDurable(changeCount: number): boolean {
    return (
      changeCount <= this.#settledCount && !this.#lost.some(([from, to]) => changeCount > from && changeCount <= to)
    );
  }

  /** What a power cut cannot take. */
  get durable(): SparseBytes {
    return this.#durable;
  }

  apply(change: Change): void {
    applyWhole(this.#current, change);
    if (change.kind === "write") this.#repair(change.position, change.lengthBytes);
    this.#unsynced.push(change);
    this.#changeCount++;
    this.#unsyncedBytes += bytesOf(change);
    while (this.#unsyncedBytes > unsyncedBytesMax && this.#unsynced.length > 1)
      this.makeDurable(this.#settledCount + 1);
  }

  /** The first `changeCount` changes that were ever made reach the disk. */
  makeDurable(changeCount: number): void {
    const reached = this.#unsynced.splice(0, Math.max(0, changeCount - this.#settledCount));
    for (const change of reached) {
      applyWhole(this.#durable, change);
      this.#unsyncedBytes -= bytesOf(change);
    }
    this.#settledCount += reached.length;
  }

  /** A power cut: what the disk holds is what there is. */
  cutPower(random: SeededRandom): void {
    this.#settle(random);
    this.#current = new SparseBytes(this.#durable);
  }

  /** As Linux does it: what was not synced is gone, unless it happened to reach the disk, and counts as written no more. */
  failSync(random: SeededRandom, error: Error): void {
    const sizeBytes = this.#current.sizeBytes;
    this.cutPower(random);
    if (sizeBytes !== this.#current.sizeBytes) this.apply({ kind: "truncate", sizeBytes });
    this.syncFailureCount++;
    this.syncFailure = error;
  }

  /** Decides for every piece of the unsynced changes what reached the disk. */
  #settle(random: SeededRandom): void {
    const changes = this.#unsynced;
    const sizeBytes = this.#current.sizeBytes;
    const pieceBytes = this.#pieceBytes(random);
    const keeps = keptChanges(changes, pieceBytes, random);
    const truncateCount = changes.filter((change) => change.kind === "truncate").length;
    let truncatesLeft = random.integerBelow(truncateCount + 1);
    for (const change of changes) {
      if (change.kind === "truncate") {
        if (truncatesLeft-- > 0) this.#durable.truncate(change.sizeBytes);
        continue;
      }
      forEachPiece(change, pieceBytes, (piece, position, lengthBytes) => {
        const left = keeps.get(piece) as number;
        keeps.set(piece, left - 1);
        if (left > 0) applyPart(this.#durable, change, position, lengthBytes);
      });
    }
    // A file system may know the new size before it has the bytes.
    if (random.chance(0.25) && this.#durable.sizeBytes < sizeBytes) this.#durable.truncate(sizeBytes);
    this.#unsynced = [];
    this.#unsyncedBytes = 0;
    if (changes.length > 0) this.#lost.push([this.#settledCount, this.#changeCount]);
    this.#settledCount = this.#changeCount;
  }

  #pieceBytes(random: SeededRandom): number {
    let pieceBytes = random.pick([sectorBytes, sectorBytes, 4096, 65536]);
    const bytes = this.#unsynced.reduce((sum, change) => sum + rangeOf(change), 0);
    while (bytes / pieceBytes > piecesMax) pieceBytes *= 2;
    return pieceBytes;
  }

  /** The disk, and so everyone who reads, has one bit the other way round from now on. */
  flipBit(position: number, bit: number): void {
    this.makeDurable(this.#changeCount);
    this.#durable.flipBit(position, bit);
    this.#current.flipBit(position, bit);
  }

  /** These bytes cannot be read until they have been written again in one piece. */
  damage(position: number, lengthBytes: number): void {
    this.#damages.push({ position, lengthBytes });
  }

  isDamaged(position: number, lengthBytes: number): boolean {
    return this.#damages.some((damage) => rangesOverlap(position, lengthBytes, damage.position, damage.lengthBytes));
  }

  #repair(position: number, lengthBytes: number): void {
    const end = position + lengthBytes;
    this.#damages = this.#damages.filter((it) => it.position < position || it.position + it.lengthBytes > end);
  }
}

/**
 * How many of the changes to each piece, counted from the first, are on the disk. The chance is drawn first, so that
 * power cuts differ: some lose all, some nothing, most a mixture.
 */
function keptChanges(changes: readonly Change[], pieceBytes: number, random: SeededRandom): Map<number, number> {
  const counts = new Map<number, number>();
  for (const change of changes) {
    if (change.kind === "truncate") continue;
    forEachPiece(change, pieceBytes, (piece) => counts.set(piece, (counts.get(piece) ?? 0) + 1));
  }
  const chanceOfAll = random.pick([0, 0.1, 0.5, 0.9, 1]);
  for (const [piece, count] of counts) {
    counts.set(piece, random.chance(chanceOfAll) ? count : random.integerBelow(count));
  }
  return counts;
}

type DataChange = Exclude<Change, { kind: "truncate" }>;

function forEachPiece(
  change: DataChange,
  pieceBytes: number,
  visit: (piece: number, position: number, lengthBytes: number) => void,
): void {
  const end = change.position + change.lengthBytes;
  for (let at = change.position; at < end; ) {
    const piece = divFloor(at, pieceBytes);
    const next = Math.min(end, (piece + 1) * pieceBytes);
    visit(piece, at, next - at);
    at = next;
  }
}

function applyWhole(content: SparseBytes, change: Change): void {
  if (change.kind === "truncate") content.truncate(change.sizeBytes);
  else applyPart(content, change, change.position, change.lengthBytes);
}

function applyPart(content: SparseBytes, change: DataChange, position: number, lengthBytes: number): void {
  if (change.kind === "write") content.write(change.bytes, position - change.position, lengthBytes, position);
  else content.zero(position, lengthBytes, change.keepSpace);
}

/** Memory held by a change. */
function bytesOf(change: Change): number {
  return change.kind === "write" ? change.bytes.length : 0;
}

function rangeOf(change: Change): number {
  return change.kind === "truncate" ? 0 : change.lengthBytes;
}
