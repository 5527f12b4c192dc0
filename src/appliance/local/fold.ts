/**
 * What several records come to together: the trims and zeros in their order, and behind them, for each block that was
 * written since, its newest content. Knows where content lies in the spool, and holds none.
 *
 * Invariants: the ranges in their order and then the slots give the state that all records in their order give; so a
 * write drops nothing of the ranges, and a range drops every slot in it.
 */
import { assert } from "#src/core/assert.ts";
import { aggregateBlocksMax, aggregateRangesMax, blockBytes, rangeRecordBlocksMax } from "#src/core/limits.ts";
import { checksumBytes } from "#src/host/checksum.ts";
import type { BlockRange, FoldedFigures } from "#src/records/aggregate-part.ts";
import type { recordType } from "#src/records/record.ts";
import { BlockSlots } from "./block-slots.ts";

export type RangeType = typeof recordType.trim | typeof recordType.zero;

export interface ClearedRange extends BlockRange {
  readonly type: RangeType;
}

/** What is known of a batch besides its records. */
export interface BatchFacts {
  readonly epoch: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly timeMicros: number;
  readonly payloadBytes: number;
}

export class Fold {
  readonly slots = new BlockSlots();
  readonly #ranges: ClearedRange[] = [];
  #epoch = 0;
  #firstSeq = 0;
  #lastSeq = 0;
  #timeMicros = 0;
  #bytesIn = 0;

  get isEmpty(): boolean {
    return this.#lastSeq === 0;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get firstSeq(): number {
    return this.#firstSeq;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Of the last record. */
  get timeMicros(): number {
    return this.#timeMicros;
  }

  get ranges(): readonly ClearedRange[] {
    return this.#ranges;
  }

  /** Of what is left. */
  get payloadBytes(): number {
    return this.slots.liveCount * blockBytes;
  }

  /** What came in. */
  get figures(): FoldedFigures {
    return { records: this.isEmpty ? 0 : this.#lastSeq - this.#firstSeq + 1, bytes: this.#bytesIn };
  }

  /** Whether a batch with so much in it finds room whatever it says. */
  hasRoomFor(blockCount: number, rangeCount: number): boolean {
    return (
      this.slots.liveCount + blockCount <= aggregateBlocksMax && this.#ranges.length + rangeCount <= aggregateRangesMax
    );
  }

  /** A batch's records come next; they follow those that came before without a gap. */
  beginBatch({ epoch, firstSeq, lastSeq, timeMicros, payloadBytes }: BatchFacts): void {
    assert(this.isEmpty || (firstSeq === this.#lastSeq + 1 && epoch === this.#epoch), "no record is left out");
    if (this.isEmpty) this.#firstSeq = firstSeq;
    this.#epoch = epoch;
    this.#lastSeq = lastSeq;
    this.#timeMicros = timeMicros;
    this.#bytesIn += payloadBytes;
  }

  /** The payload lies at `position` in the spool, the checksums of its blocks behind each other at `checksumsAt`. */
  write(
    volume: number,
    startBlock: number,
    blockCount: number,
    position: number,
    checksums: Buffer,
    checksumsAt: number,
  ): void {
    for (let index = 0; index < blockCount; index++) {
      const checksumAt = checksumsAt + index * checksumBytes;
      this.slots.put(volume, startBlock + index, position + index * blockBytes, checksums, checksumAt);
    }
  }

  /** A trim or zero. One that goes on where the last one ends, or lies in it, becomes one with it. */
  clearRange(range: ClearedRange): void {
    this.slots.drop(range.volume, range.startBlock, range.blockCount);
    const last = this.#ranges.at(-1);
    const joined = last === undefined ? undefined : joinedWith(last, range);
    if (joined === undefined) this.#ranges.push(range);
    else this.#ranges[this.#ranges.length - 1] = joined;
  }

  /** Everything is forgotten. */
  clear(): void {
    this.slots.clear();
    this.#ranges.length = 0;
    this.#firstSeq = 0;
    this.#lastSeq = 0;
    this.#bytesIn = 0;
  }
}

/** Undefined: together they are no range, or a longer one than a record may have. */
function joinedWith(last: ClearedRange, next: ClearedRange): ClearedRange | undefined {
  if (last.type !== next.type || last.volume !== next.volume) return undefined;
  const [lastEnd, nextEnd] = [last.startBlock + last.blockCount, next.startBlock + next.blockCount];
  if (next.startBlock > lastEnd || last.startBlock > nextEnd) return undefined;
  const startBlock = Math.min(last.startBlock, next.startBlock);
  const blockCount = Math.max(lastEnd, nextEnd) - startBlock;
  return blockCount > rangeRecordBlocksMax ? undefined : { ...last, startBlock, blockCount };
}
