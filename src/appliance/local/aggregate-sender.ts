/**
 * Sends one aggregate to the remote, part by part: reads the blocks that count back from the spool, each to its place in
 * the part, and checks it against the checksum that came with its write. What does not match is never sent.
 */
import { assert } from "#src/core/assert.ts";
import { divFloor } from "#src/core/byte-range.ts";
import { aggregateReadMs, batchBytesMax, batchPayloadBytesMax, blockBytes, recordBlocksMax } from "#src/core/limits.ts";
import { checksumBytes, hasChecksum } from "#src/host/checksum.ts";
import type { Clock } from "#src/host/clock.ts";
import { AggregatePartBuilder } from "#src/records/aggregate-part.ts";
import type { GroupLink } from "#src/wire/group-link.ts";
import type { Fold } from "./fold.ts";
import type { Spool } from "./spool.ts";

const partBlocksMax = divFloor(batchPayloadBytesMax, blockBytes);

export interface AggregateSenderParts {
  readonly spool: Spool;
  readonly link: GroupLink;
  readonly clock: Clock;
  readonly fold: Fold;
  /** Has `batchBytesMax` bytes, and holds nothing that anybody else needs until the sender is done. */
  readonly buffer: Buffer;
}

export class AggregateSender {
  readonly #spool: Spool;
  readonly #link: GroupLink;
  readonly #clock: Clock;
  readonly #fold: Fold;
  readonly #builder = new AggregatePartBuilder();
  readonly #buffer: Buffer;
  readonly #sorted: Uint32Array;
  /** Checksums of the blocks of one record, behind each other. */
  readonly #checksums = Buffer.alloc(recordBlocksMax * checksumBytes);
  #rangeCount = 0;
  #slotCount = 0;
  #partCount = 0;
  /** A part is begun: where a read fails, it goes on there. */
  #isBuilding = false;
  /** In the part that is being built. */
  #blockCount = 0;
  /** Of the part that is built and not sent. */
  #builtBytes = 0;
  #isBuffered = false;
  #isComplete = false;

  constructor({ spool, link, clock, fold, buffer }: AggregateSenderParts) {
    assert(buffer.length >= batchBytesMax, "a largest part has room");
    this.#spool = spool;
    this.#link = link;
    this.#clock = clock;
    this.#fold = fold;
    this.#buffer = buffer;
    this.#sorted = fold.slots.sorted();
  }

  /** All parts were given to the link, and the buffer is free. */
  get isDone(): boolean {
    return this.#isComplete && this.#builtBytes === 0 && !this.#isBuffered;
  }

  /** The link says that what it was given is free, or that it takes more. */
  mayShip(): void {
    this.#isBuffered = false;
  }

  /** Goes on for a moment with the next part. False: the link does not take it now; `mayShip` follows. */
  sendOn(): boolean {
    if (this.#isBuffered) return false;
    if (this.#builtBytes === 0 && !this.#build()) return true;
    const byteLength = this.#builtBytes;
    if (this.#link.mayShipBytes < byteLength) return false;
    this.#builtBytes = 0;
    this.#isBuffered = !this.#link.ship([this.#buffer.subarray(0, byteLength)]);
    return true;
  }

  /** False: there is more to be read for it. */
  #build(): boolean {
    assert(!this.#isComplete, "there is more to be sent");
    const builder = this.#builder;
    const { ranges, figures, epoch, firstSeq, lastSeq, timeMicros } = this.#fold;
    if (!this.#isBuilding) builder.begin(this.#buffer, 0);
    this.#isBuilding = true;
    for (; this.#rangeCount < ranges.length && builder.hasRoomFor(0); this.#rangeCount++) {
      const { type, volume, startBlock, blockCount } = ranges[this.#rangeCount] as (typeof ranges)[number];
      builder.addRange(type, { volume, startBlock, blockCount });
    }
    if (this.#rangeCount === ranges.length && !this.#addWrites()) return false;
    this.#isBuilding = false;
    this.#blockCount = 0;
    if (this.#slotCount === this.#sorted.length && this.#rangeCount === ranges.length && builder.hasRoomFor(0)) {
      builder.addCommit(figures);
      this.#isComplete = true;
    }
    this.#builtBytes = builder.finish({ epoch, firstSeq, lastSeq, timeMicros, partNumber: this.#partCount++ });
    return true;
  }

  /** False: its time is over before the part is full. */
  #addWrites(): boolean {
    const { slots } = this.#fold;
    const endMs = this.#clock.monotonicMs() + aggregateReadMs;
    while (this.#slotCount < this.#sorted.length && this.#blockCount < partBlocksMax) {
      const roomBlocks = Math.min(partBlocksMax - this.#blockCount, recordBlocksMax);
      const blockCount = slots.runFrom(this.#sorted, this.#slotCount, roomBlocks);
      if (!this.#builder.hasRoomFor(blockCount)) return true;
      if (this.#clock.monotonicMs() >= endMs) return false;
      this.#addWrite(blockCount);
      this.#slotCount += blockCount;
      this.#blockCount += blockCount;
    }
    return true;
  }

  #addWrite(blockCount: number): void {
    const { slots } = this.#fold;
    const { payloadAt } = this.#builder;
    for (let done = 0; done < blockCount; ) {
      const count = slots.pieceFrom(this.#sorted, this.#slotCount + done, blockCount - done);
      const position = slots.positionOf(this.#sorted[this.#slotCount + done] as number);
      this.#spool.readPayload(position, this.#buffer, payloadAt + done * blockBytes, count * blockBytes);
      done += count;
    }
    for (let index = 0; index < blockCount; index++) this.#check(index, payloadAt + index * blockBytes);
    const first = this.#sorted[this.#slotCount] as number;
    const range = { volume: slots.volumeOf(first), startBlock: slots.blockOf(first), blockCount };
    this.#builder.addWrite(range, this.#buffer, payloadAt, this.#checksums, 0);
  }

  #check(index: number, blockAt: number): void {
    const { slots } = this.#fold;
    const slot = this.#sorted[this.#slotCount + index] as number;
    const checksumAt = slot * checksumBytes;
    slots.checksums.copy(this.#checksums, index * checksumBytes, checksumAt, checksumAt + checksumBytes);
    if (hasChecksum(this.#buffer, blockAt, blockAt + blockBytes, slots.checksums, checksumAt)) return;
    const { firstSeq, lastSeq } = this.#fold;
    const what = `block ${slots.blockOf(slot)} of volume ${slots.volumeOf(slot)}`;
    throw this.#spool.damageAt(
      slots.positionOf(slot),
      `${what}, written by one of the records ${firstSeq} to ${lastSeq}, does not match its checksum`,
    );
  }
}
