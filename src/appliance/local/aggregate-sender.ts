/**
 * Sends one aggregate to the remote, part by part: reads the blocks that count back from the spool, each to its place in
 * the part, and checks it against the checksum that came with its write. What does not match is never sent.
 */
import { assert } from "#src/core/assert.ts";
import { divFloor } from "#src/core/byte-range.ts";
import { batchBytesMax, batchPayloadBytesMax, blockBytes, recordBlocksMax } from "#src/core/limits.ts";
import { checksumBytes, hasChecksum } from "#src/host/checksum.ts";
import { AggregatePartBuilder } from "#src/records/aggregate-part.ts";
import type { GroupLink } from "#src/wire/group-link.ts";
import type { Fold } from "./fold.ts";
import type { Spool } from "./spool.ts";

const partBlocksMax = divFloor(batchPayloadBytesMax, blockBytes);

export class AggregateSender {
  readonly #spool: Spool;
  readonly #link: GroupLink;
  readonly #fold: Fold;
  readonly #builder = new AggregatePartBuilder();
  readonly #buffer: Buffer;
  readonly #sorted: Uint32Array;
  /** Checksums of the blocks of one record, behind each other. */
  readonly #checksums = Buffer.alloc(recordBlocksMax * checksumBytes);
  #rangeCount = 0;
  #slotCount = 0;
  #partCount = 0;
  /** Of the part that is built and not sent. */
  #builtBytes = 0;
  #isBuffered = false;
  #isComplete = false;
  #sentBytes = 0;

  /** `buffer` has `batchBytesMax` bytes, and holds nothing that anybody else needs until the sender is done. */
  constructor(spool: Spool, link: GroupLink, fold: Fold, buffer: Buffer) {
    assert(buffer.length >= batchBytesMax, "a largest part has room");
    this.#spool = spool;
    this.#link = link;
    this.#fold = fold;
    this.#buffer = buffer;
    this.#sorted = fold.slots.sorted();
  }

  /** All parts were given to the link, and the buffer is free. */
  get isDone(): boolean {
    return this.#isComplete && this.#builtBytes === 0 && !this.#isBuffered;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** The link says that what it was given is free, or that it takes more. */
  mayShip(): void {
    this.#isBuffered = false;
  }

  /** Gives the next part to the link. False: that does not take it now; `mayShip` follows. */
  sendPart(): boolean {
    if (this.#isBuffered) return false;
    if (this.#builtBytes === 0) this.#build();
    const byteLength = this.#builtBytes;
    if (this.#link.mayShipBytes < byteLength) return false;
    this.#builtBytes = 0;
    this.#sentBytes += byteLength;
    this.#isBuffered = !this.#link.ship([this.#buffer.subarray(0, byteLength)]);
    return true;
  }

  #build(): void {
    assert(!this.#isComplete, "there is more to be sent");
    const builder = this.#builder;
    const { ranges, figures, epoch, firstSeq, lastSeq, timeMicros } = this.#fold;
    builder.begin(this.#buffer, 0);
    for (; this.#rangeCount < ranges.length && builder.hasRoomFor(0); this.#rangeCount++) {
      const { type, volume, startBlock, blockCount } = ranges[this.#rangeCount] as (typeof ranges)[number];
      builder.addRange(type, { volume, startBlock, blockCount });
    }
    if (this.#rangeCount === ranges.length) this.#addWrites();
    if (this.#slotCount === this.#sorted.length && this.#rangeCount === ranges.length && builder.hasRoomFor(0)) {
      builder.addCommit(figures);
      this.#isComplete = true;
    }
    this.#builtBytes = builder.finish({ epoch, firstSeq, lastSeq, timeMicros, partNumber: this.#partCount++ });
  }

  #addWrites(): void {
    const { slots } = this.#fold;
    let roomBlocks = partBlocksMax;
    while (this.#slotCount < this.#sorted.length && roomBlocks > 0) {
      const blockCount = slots.runFrom(this.#sorted, this.#slotCount, Math.min(roomBlocks, recordBlocksMax));
      if (!this.#builder.hasRoomFor(blockCount)) return;
      this.#addWrite(blockCount);
      this.#slotCount += blockCount;
      roomBlocks -= blockCount;
    }
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
