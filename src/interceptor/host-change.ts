/**
 * A write, a trim or a zeroing that the host asked for, on its way to become records of whole blocks. The objects are used
 * again.
 *
 *     offset ─┐                    ┌─ offset + length
 *     ┌───────┼──────┬─── … ───┬───┼──────────┐
 *     │ edge  ▓▓▓▓▓▓▓│▓▓▓▓▓▓▓▓▓│▓▓▓▓   edge   │       startBlock, blockCount: all blocks touched
 *     └──────────────┴─────────┴──────────────┘       a trim counts for the whole ones only
 *
 * Edges are completed with what the block holds (`edges.ts`) before it is added. Where the volume ends within a block,
 * the rest of that block is zeros, and no edge.
 */
import { assert } from "#src/core/assert.ts";
import { blockBytes, rangeRecordBlocksMax, recordBlocksMax, recordPayloadBytesMax } from "#src/core/limits.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import type { ExportRequest } from "#src/nbd/export.ts";
import type { WriteTurn } from "#src/nbd/write-order.ts";
import { recordType } from "#src/records/record.ts";
import type { Flushed } from "./flush-rounds.ts";
import type { GateEntry } from "./gate.ts";
import type { Outlet } from "./outlet.ts";
import type { RecordOwner } from "./record-in-flight.ts";

/** What happens to a change along its way. */
export interface ChangeHandler {
  /** Its blocks are its own. */
  begin(change: HostChange): void;
  /** All of it is added. */
  added(change: HostChange): void;
  /** All of it is in the source, or it is over with an error. */
  finished(change: HostChange): void;
  /** What it waited for beyond that, because of FUA, is there. */
  flushed(change: HostChange, error: number): void;
}

/** Where a payload that is completed is put together; the link copies it at once. */
const assembly = Buffer.allocUnsafeSlow(recordPayloadBytesMax);

export class HostChange implements WriteTurn, GateEntry, RecordOwner, Flushed {
  readonly #handler: ChangeHandler;
  request: ExportRequest | undefined;
  startBlock = 0;
  blockCount = 0;
  needsHead = false;
  needsTail = false;
  /** The blocks at the edges, as they are. */
  head: Buffer | undefined;
  tail: Buffer | undefined;
  error: number = nbdError.ok;
  arrivedMs = 0;
  /** Its request outlives the batch with its payload. */
  isKept = false;
  /** Its place among all that are under way. */
  index = -1;
  firstOrdinal = 0;
  recordCount = 0;
  #sizeBytes = 0;
  #offset = 0;
  #endOffset = 0;
  #isWrite = false;
  #rangeType = 0;
  #nextBlock = 0;
  #openRecords = 0;
  #isAdded = false;

  constructor(handler: ChangeHandler) {
    this.#handler = handler;
  }

  // As a turn it counts in blocks.

  get offset(): number {
    return this.startBlock;
  }

  get length(): number {
    return this.blockCount;
  }

  get byteLength(): number {
    return this.#isWrite ? this.#endOffset - this.#offset : 1;
  }

  get isAdded(): boolean {
    return this.#isAdded;
  }

  take(request: ExportRequest, sizeBytes: number): void {
    assert(this.request === undefined, "a change is free before it is used again");
    this.request = request;
    this.#sizeBytes = sizeBytes;
    this.#offset = request.offset;
    this.#endOffset = request.offset + request.length;
    this.#isWrite = request.command === command.write;
    this.#rangeType = request.command === command.writeZeroes && request.noHole ? recordType.zero : recordType.trim;
    this.#openRecords = 0;
    this.#isAdded = false;
    this.isKept = false;
    this.error = nbdError.ok;
    this.firstOrdinal = 0;
    this.recordCount = 0;
    if (request.command === command.trim) this.#takeWholeBlocks();
    else this.#takeAllBlocks();
    this.#nextBlock = this.startBlock;
  }

  #takeWholeBlocks(): void {
    const end = this.#endOffset === this.#sizeBytes ? this.#endOffset + blockBytes - 1 : this.#endOffset;
    this.startBlock = Math.ceil(this.#offset / blockBytes);
    this.blockCount = Math.max(0, Math.floor(end / blockBytes) - this.startBlock);
    this.needsHead = false;
    this.needsTail = false;
  }

  #takeAllBlocks(): void {
    this.startBlock = Math.floor(this.#offset / blockBytes);
    const endBlock = Math.ceil(this.#endOffset / blockBytes);
    this.blockCount = endBlock - this.startBlock;
    const hasTail = this.#endOffset % blockBytes !== 0 && this.#endOffset !== this.#sizeBytes;
    this.needsHead = this.#offset % blockBytes !== 0 || (hasTail && this.blockCount === 1);
    this.needsTail = hasTail && this.blockCount > 1;
  }

  get isWhole(): boolean {
    return !this.needsHead && !this.needsTail;
  }

  get #endBlock(): number {
    return this.startBlock + this.blockCount;
  }

  start(): void {
    this.#handler.begin(this);
  }

  passed(): void {
    this.#handler.added(this);
  }

  addTo(outlet: Outlet): boolean {
    const { request } = this;
    // It is over already: everything has failed.
    if (request === undefined) return true;
    if (request.abandoned && this.#nextBlock < this.#endBlock) {
      this.error = nbdError.io;
      this.blockCount = this.#nextBlock - this.startBlock;
    }
    while (this.#nextBlock < this.#endBlock) if (!this.#addNext(outlet, request)) return false;
    this.#isAdded = true;
    return true;
  }

  #addNext(outlet: Outlet, request: ExportRequest): boolean {
    if (this.#isWrite) return this.#addBlocks(outlet, request, Math.min(this.#leftCount, recordBlocksMax));
    const isAtEdge =
      (this.needsHead && this.#nextBlock === this.startBlock) ||
      (this.needsTail && this.#nextBlock === this.#endBlock - 1);
    if (isAtEdge) return this.#addBlocks(outlet, request, 1);
    if (!outlet.hasRoomFor(0)) return false;
    const count = Math.min(this.#leftCount - (this.needsTail ? 1 : 0), rangeRecordBlocksMax);
    this.#enter();
    outlet.addRange(this, this.#rangeType, this.#nextBlock, count);
    this.#left(outlet, count);
    return true;
  }

  get #leftCount(): number {
    return this.#endBlock - this.#nextBlock;
  }

  #addBlocks(outlet: Outlet, request: ExportRequest, count: number): boolean {
    if (!outlet.hasRoomFor(count)) return false;
    const from = this.#nextBlock * blockBytes;
    const isPlain = this.#isWrite && from >= this.#offset && from + count * blockBytes <= this.#endOffset;
    this.#enter();
    if (isPlain) {
      outlet.addWrite(this, this.#nextBlock, count, request.buffer, request.start + from - this.#offset);
    } else {
      this.#assemble(request, count);
      outlet.addWrite(this, this.#nextBlock, count, assembly, 0);
    }
    this.#left(outlet, count);
    return true;
  }

  #enter(): void {
    this.#openRecords++;
    this.recordCount++;
  }

  #left(outlet: Outlet, count: number): void {
    if (this.firstOrdinal === 0) this.firstOrdinal = outlet.link?.lastOrdinal ?? 0;
    this.#nextBlock += count;
  }

  /** Puts the next blocks together: first what they hold, then what the host wants of them. */
  #assemble(request: ExportRequest, count: number): void {
    const from = this.#nextBlock * blockBytes;
    const end = from + count * blockBytes;
    if (end > this.#sizeBytes) assembly.fill(0, this.#sizeBytes - from, end - from);
    if (this.needsHead && this.#nextBlock === this.startBlock) copyBlock(this.head, 0);
    if (this.needsTail && this.#nextBlock + count === this.#endBlock) copyBlock(this.tail, (count - 1) * blockBytes);
    const first = Math.max(from, this.#offset);
    const last = Math.min(end, this.#endOffset);
    if (!this.#isWrite) assembly.fill(0, first - from, last - from);
    else {
      const at = request.start + first - this.#offset;
      request.buffer.copy(assembly, first - from, at, at + last - first);
    }
  }

  /** One of its records is in the source. */
  recordWritten(): void {
    this.#openRecords--;
    if (this.#isAdded && this.#openRecords === 0) this.#handler.finished(this);
  }

  flushed(error: number): void {
    this.#handler.flushed(this, error);
  }

  /** It was added; nothing of it is under way. */
  get isOver(): boolean {
    return this.#isAdded && this.#openRecords === 0;
  }
}

function copyBlock(block: Buffer | undefined, at: number): void {
  assert(block !== undefined, "an edge is known before its block is put together");
  block.copy(assembly, at);
}
