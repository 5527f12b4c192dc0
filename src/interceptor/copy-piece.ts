/**
 * One piece of the source on its way into the order, taken as a partial write is: its blocks are locked, what is in flight
 * over them reaches the source, they are read, added and unlocked; so its place in the order is right.
 *
 *     free ─▶ (fetching) ─▶ locking ─▶ reading ─▶ adding ─▶ free
 *
 * Beside a host it is read once before, so that what is locked is at hand and nobody waits for a disk because of it.
 *
 * What reads as zeros is said without payload, or not at all where the order began with zeros. The objects are used again,
 * each with its memory; one that was given up keeps it until its read has ended, and is not used any more.
 */
import { assert } from "#src/core/assert.ts";
import { blockBytes, copyGranuleBlocks, recordBlocksMax, recordPayloadBytesMax } from "#src/core/limits.ts";
import type { WriteOrder, WriteTurn } from "#src/nbd/write-order.ts";
import type { Flight } from "./flight.ts";
import type { Gate, GateEntry } from "./gate.ts";
import type { Outlet } from "./outlet.ts";
import type { Source } from "./source.ts";

export interface CopyPieceParts {
  readonly source: Source;
  readonly flight: Flight;
  readonly locks: WriteOrder;
  readonly gate: Gate;
  readonly readBytes: (byteLength: number) => void;
  /** Something was put into the gate, or let go of. */
  readonly moved: () => void;
  /** It is in the order, or needs no place there. */
  readonly added: (piece: CopyPiece) => void;
  readonly failed: (piece: CopyPiece, error: Error) => void;
}

interface Run {
  readonly startBlock: number;
  blockCount: number;
  readonly isZero: boolean;
}

const granuleBytes = copyGranuleBlocks * blockBytes;
const zeros = Buffer.alloc(granuleBytes);

export class CopyPiece implements WriteTurn, GateEntry {
  readonly #parts: CopyPieceParts;
  readonly #bytes = Buffer.allocUnsafeSlow(recordPayloadBytesMax);
  startBlock = 0;
  blockCount = 0;
  begunMs = 0;
  #skipsZeros = false;
  #runs: Run[] = [];
  #nextRun = 0;
  #isGivenUp = false;

  constructor(parts: CopyPieceParts) {
    this.#parts = parts;
  }

  // As a turn it counts in blocks.

  get offset(): number {
    return this.startBlock;
  }

  get length(): number {
    return this.blockCount;
  }

  /** The throttle is for hosts: the copy has a pace of its own. */
  get byteLength(): number {
    return 0;
  }

  begin(startBlock: number, blockCount: number, skipsZeros: boolean, isFetched: boolean, nowMs: number): void {
    assert(blockCount > 0 && blockCount <= recordBlocksMax, "a piece is no larger than a record");
    this.startBlock = startBlock;
    this.blockCount = blockCount;
    this.begunMs = nowMs;
    this.#skipsZeros = skipsZeros;
    this.#runs = [];
    this.#nextRun = 0;
    if (isFetched) this.#fetch();
    else this.#parts.locks.enter(this);
  }

  /** Whether it can be read is seen when it is locked. */
  #fetch(): void {
    const { source, locks } = this.#parts;
    source.read(this.#bytes, 0, this.#byteCount, this.startBlock * blockBytes, () => {
      if (!this.#isGivenUp) locks.enter(this);
    });
  }

  giveUp(): void {
    this.#isGivenUp = true;
  }

  start(): void {
    this.#parts.flight.whenFree(this.startBlock, this.blockCount, () => {
      if (this.#isGivenUp) this.#unlock();
      else if (this.#skipsZeros) this.#read();
      else this.#look();
    });
  }

  #unlock(): void {
    this.#parts.locks.leave(this);
    this.#parts.moved();
  }

  get #byteCount(): number {
    return Math.min(this.blockCount * blockBytes, this.#parts.source.sizeBytes - this.startBlock * blockBytes);
  }

  /** Of payload that it brought into the order. */
  get addedBytes(): number {
    return this.#runs.reduce((sum, { blockCount, isZero }) => sum + (isZero ? 0 : blockCount * blockBytes), 0);
  }

  /** What is a hole needs no reading. */
  #look(): void {
    const length = this.#byteCount;
    try {
      this.#parts.source.extents(this.startBlock * blockBytes, length, 1, (error, [first]) => {
        if (error !== null || first?.zero !== true || first.lengthBytes < length) return this.#read();
        this.#runs = [{ startBlock: this.startBlock, blockCount: this.blockCount, isZero: true }];
        this.#enterGate();
      });
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #read(): void {
    const { source, readBytes } = this.#parts;
    const length = this.#byteCount;
    this.#bytes.fill(0, length, this.blockCount * blockBytes);
    readBytes(length);
    source.read(this.#bytes, 0, length, this.startBlock * blockBytes, (error) => {
      if (error !== null) return this.#fail(error);
      this.#findRuns();
      this.#enterGate();
    });
  }

  #findRuns(): void {
    const endBlock = this.startBlock + this.blockCount;
    for (let block = this.startBlock; block < endBlock; block += copyGranuleBlocks) {
      const blockCount = Math.min(copyGranuleBlocks, endBlock - block);
      const isZero = this.#isZero((block - this.startBlock) * blockBytes, blockCount * blockBytes);
      const last = this.#runs.at(-1);
      if (last?.isZero === isZero) last.blockCount += blockCount;
      else this.#runs.push({ startBlock: block, blockCount, isZero });
    }
    if (this.#skipsZeros) this.#runs = this.#runs.filter((run) => !run.isZero);
  }

  #isZero(from: number, byteLength: number): boolean {
    return this.#bytes.compare(zeros, 0, byteLength, from, from + byteLength) === 0;
  }

  #fail(error: Error): void {
    this.#unlock();
    if (!this.#isGivenUp) this.#parts.failed(this, error);
  }

  #enterGate(): void {
    if (this.#isGivenUp) return this.#unlock();
    if (this.#runs.length === 0) {
      this.#unlock();
      return this.#parts.added(this);
    }
    this.#parts.gate.push(this);
    this.#parts.moved();
  }

  addTo(outlet: Outlet): boolean {
    for (; this.#nextRun < this.#runs.length && !this.#isGivenUp; this.#nextRun++) {
      const { startBlock, blockCount, isZero } = this.#runs[this.#nextRun] as Run;
      if (!outlet.hasRoomFor(isZero ? 0 : blockCount)) return false;
      const bytes = isZero ? undefined : this.#bytes;
      outlet.addFromSource(startBlock, blockCount, bytes, (startBlock - this.startBlock) * blockBytes);
    }
    return true;
  }

  passed(): void {
    this.#parts.locks.leave(this);
    if (!this.#isGivenUp) this.#parts.added(this);
  }
}
