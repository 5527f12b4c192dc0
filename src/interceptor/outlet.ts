/** The one door to the link: what goes through it is numbered, held and in flight. Closed while there is no link. */
import { assert } from "#src/core/assert.ts";
import { recordType } from "#src/records/record.ts";
import type { VolumeLink } from "#src/wire/volume-link.ts";
import type { Flight } from "./flight.ts";
import { MemoryHold, type RecordInFlight, type RecordOwner } from "./record-in-flight.ts";
import type { RegionMapFile } from "./region-map-file.ts";

export interface OutletParts {
  readonly flight: Flight;
  readonly mapFile: RegionMapFile;
  /** A record object that is free. */
  readonly take: () => RecordInFlight;
  /** Called for each record that was added. */
  readonly added: (record: RecordInFlight) => void;
}

export class Outlet {
  readonly #parts: OutletParts;
  #link: VolumeLink | undefined;
  /** Of the batch in the making. */
  #hold: MemoryHold | undefined;
  #uncommittedCount = 0;
  #isCommitting = false;

  constructor(parts: OutletParts) {
    this.#parts = parts;
  }

  get link(): VolumeLink | undefined {
    return this.#link;
  }

  /** The link is at work: it is not to be asked for anything. */
  get isCommitting(): boolean {
    return this.#isCommitting;
  }

  open(link: VolumeLink): void {
    assert(this.#link === undefined, "there is one link at a time");
    this.close();
    this.#link = link;
  }

  /** What was added and not committed is lost with the link; its memory stays as long as it is held. */
  close(): void {
    this.#link = undefined;
    this.#uncommittedCount = 0;
    this.#completeHold();
  }

  /** False: wait for `roomAgain`. */
  hasRoomFor(payloadBlocks: number): boolean {
    const link = this.#link;
    if (link === undefined || link.pressure >= 1) return false;
    if (link.hasRoomFor(payloadBlocks)) return true;
    if (this.#uncommittedCount === 0) return false;
    this.commit();
    // Whatever the commit led to, the link may be gone.
    return this.#link === link && link.pressure < 1 && link.hasRoomFor(payloadBlocks);
  }

  /** Adds a write; `hasRoomFor` has said that it can be. */
  addWrite(owner: RecordOwner | undefined, startBlock: number, blockCount: number, bytes: Buffer, from: number): void {
    const link = this.#openLink();
    const payloadAt = link.addWrite(startBlock, blockCount, bytes, from);
    const record = this.#begin(link, recordType.write, startBlock, blockCount, owner);
    this.#keepPayload(link, record, payloadAt);
    this.#finish(record);
  }

  /** Adds what the source has, to be journaled alone: what lies at `from` in `bytes`, or zeros where there are none. */
  addFromSource(startBlock: number, blockCount: number, bytes: Buffer | undefined, from: number): void {
    const link = this.#openLink();
    const type = bytes === undefined ? recordType.trim : recordType.write;
    const payloadAt = bytes === undefined ? 0 : link.addWrite(startBlock, blockCount, bytes, from);
    if (bytes === undefined) link.addRange(type, startBlock, blockCount);
    const record = this.#begin(link, type, startBlock, blockCount, undefined);
    if (bytes !== undefined) this.#keepPayload(link, record, payloadAt);
    record.isFromSource = true;
    this.#finish(record);
  }

  /** Adds a record without payload; `hasRoomFor(0)` has said that it can be. */
  addRange(owner: RecordOwner | undefined, type: number, startBlock: number, blockCount: number): void {
    const link = this.#openLink();
    link.addRange(type, startBlock, blockCount);
    this.#finish(this.#begin(link, type, startBlock, blockCount, owner));
  }

  /** Adds a record whose ordinal was reserved; nobody waits for it. */
  addReserved(type: number): void {
    this.#openLink().addRange(type, 0, 0);
    this.#uncommittedCount++;
  }

  /** Adds to a new link what an old one had, with the same ordinal. */
  addAgain(record: RecordInFlight): void {
    const link = this.#openLink();
    const { startBlock, blockCount, hold, buffer } = record;
    if (record.type !== recordType.write) link.addRange(record.type, startBlock, blockCount);
    else {
      const payloadAt = link.addWrite(startBlock, blockCount, buffer, record.payloadAt);
      this.#keepPayload(link, record, payloadAt);
      hold?.leave();
    }
    this.#uncommittedCount++;
    assert(link.lastOrdinal === record.ordinal, "what is added again keeps its ordinal");
  }

  #openLink(): VolumeLink {
    assert(this.#link !== undefined, "there is a link to add to");
    return this.#link;
  }

  #begin(
    link: VolumeLink,
    type: number,
    startBlock: number,
    blockCount: number,
    owner: RecordOwner | undefined,
  ): RecordInFlight {
    const record = this.#parts.take();
    record.type = type;
    record.startBlock = startBlock;
    record.blockCount = blockCount;
    record.owner = owner;
    record.ordinal = link.lastOrdinal;
    return record;
  }

  #keepPayload(link: VolumeLink, record: RecordInFlight, payloadAt: number): void {
    const { memory } = link;
    this.#hold ??= new MemoryHold(memory);
    assert(this.#hold.isOf(memory), "nobody else ends a batch that this volume has begun");
    this.#hold.enter();
    record.hold = this.#hold;
    record.buffer = this.#hold.buffer;
    record.payloadAt = payloadAt;
  }

  #finish(record: RecordInFlight): void {
    this.#uncommittedCount++;
    const { flight, mapFile } = this.#parts;
    flight.push(record);
    if (record.blockCount > 0 && mapFile.map.touch(record.startBlock, record.blockCount)) mapFile.write();
    this.#parts.added(record);
  }

  /** Sends on what was added. Much may come of it before it returns. */
  commit(): void {
    if (this.#uncommittedCount === 0) return;
    this.#uncommittedCount = 0;
    const hold = this.#hold;
    this.#hold = undefined;
    this.#isCommitting = true;
    this.#link?.commit();
    this.#isCommitting = false;
    hold?.complete();
  }

  #completeHold(): void {
    const hold = this.#hold;
    this.#hold = undefined;
    hold?.complete();
  }
}
