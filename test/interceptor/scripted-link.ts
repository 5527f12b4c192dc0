/**
 * A local appliance in memory that does what a test tells it to, and checks that it is treated as the link's contract
 * says. What was committed is its journal; memory that nobody holds is scribbled over.
 */
import { assert } from "#src/core/assert.ts";
import { RefuseError } from "#src/core/errors.ts";
import { batchPayloadBytesMax, blockBytes } from "#src/core/limits.ts";
import { recordType } from "#src/records/record.ts";
import type {
  AttachedSource,
  Attachment,
  BatchMemory,
  FlushDone,
  VolumeIdentity,
  VolumeLink,
  VolumeLinks,
  VolumeReceiver,
} from "#src/wire/volume-link.ts";

export interface JournalRecord {
  readonly ordinal: number;
  readonly type: number;
  readonly startBlock: number;
  readonly blockCount: number;
  readonly payload: Buffer;
}

const changes: readonly number[] = [recordType.write, recordType.trim, recordType.zero];

export class ScriptedLinks implements VolumeLinks {
  /** What survives the appliance's process: the spool. */
  journal: JournalRecord[] = [];
  /** How many of these would survive a loss of power. */
  durableCount = 0;
  current: ScriptedLink | undefined;
  /** The highest ordinal that was acknowledged, or handed over to be redone. */
  settledOrdinal = 0;
  attachCount = 0;
  durableOrdinals: number[] = [];
  /** By whoever came last. */
  said: AttachedSource = {};
  reported: number[] = [];
  inDoubt = false;
  isAllInDoubt = false;
  /** Thrown by the next attachments, one each. */
  attachErrors: Error[] = [];
  pressure = 0;
  /** What the remote has durably, at most. */
  remoteOrdinal = Number.MAX_SAFE_INTEGER;
  /** False: nothing has room. */
  hasRoom = true;
  acknowledgesAtOnce = true;
  flushesAtOnce = true;
  /** What a flush says of the mode. */
  isSync = false;
  flushCount = 0;
  /** Told of everything that is acknowledged, after that. */
  seen: string[] = [];
  /** Runs before a record of blocks is added. */
  adding: (startBlock: number, blockCount: number) => void = () => {};
  /** Runs when the volume is attached, before it is answered. */
  attaching: (receiver: VolumeReceiver) => Promise<void> = () => Promise.resolve();

  get lastOrdinal(): number {
    return this.journal.at(-1)?.ordinal ?? 0;
  }

  async attach(
    _identity: VolumeIdentity,
    durableOrdinal: number,
    receiver: VolumeReceiver,
    said: AttachedSource = {},
  ): Promise<Attachment> {
    this.attachCount++;
    this.said = said;
    this.durableOrdinals.push(durableOrdinal);
    const error = this.attachErrors.shift();
    if (error !== undefined) throw error;
    if (this.current !== undefined) throw new RefuseError("the volume has its interceptor already");
    await this.attaching(receiver);
    for (const record of this.journal) {
      if (record.ordinal <= durableOrdinal || !changes.includes(record.type)) continue;
      const buffer = Buffer.concat([Buffer.alloc(7), record.payload]);
      await receiver.redo({ ...record, buffer, payloadAt: 7 });
      this.settledOrdinal = Math.max(this.settledOrdinal, record.ordinal);
      buffer.fill(0xdb);
    }
    const link = new ScriptedLink(this, receiver);
    this.current = link;
    const { inDoubt } = this;
    this.inDoubt = false;
    return { link, lastOrdinal: this.lastOrdinal, inDoubt, isAllInDoubt: this.isAllInDoubt };
  }

  /** The appliance's process is gone; what was committed is there when it comes back. */
  lose(error: Error): void {
    const link = this.current;
    this.current = undefined;
    link?.lose(error);
  }

  /** Power is lost: at least what was durable is left. */
  cutPower(keptCount: number): void {
    assert(keptCount >= this.durableCount, "what is durable stays");
    this.current = undefined;
    this.journal = this.journal.slice(0, keptCount);
    this.durableCount = this.journal.length;
    this.inDoubt = true;
  }

  /** What the volume is, by the journal. */
  replay(initial: Buffer): Buffer {
    const bytes = Buffer.concat([initial, Buffer.alloc(blockBytes)]);
    for (const record of this.journal) {
      const at = record.startBlock * blockBytes;
      if (record.type === recordType.write) record.payload.copy(bytes, at);
      else bytes.fill(0, at, at + record.blockCount * blockBytes);
    }
    return bytes.subarray(0, initial.length);
  }

  get shape(): string[] {
    return this.journal.map(({ type, startBlock, blockCount }) => `${type} ${startBlock}+${blockCount}`);
  }
}

class ScriptedMemory implements BatchMemory {
  readonly buffer = Buffer.alloc(batchPayloadBytesMax + 64);
  holders = 0;
  /** The link has done with it. */
  isLeft = false;
  usedBytes = 11;

  hold(): void {
    this.holders++;
  }

  release(): void {
    this.holders--;
    assert(this.holders >= 0, "memory is released as often as it was held");
    this.scribbleIfUnused();
  }

  scribbleIfUnused(): void {
    if (!this.isLeft || this.holders > 0) return;
    this.buffer.fill(0xdb, 0, this.usedBytes);
    this.usedBytes = 11;
    this.isLeft = false;
    freeMemories.push(this);
  }
}

/** Memory that is used again is cheaper, and finds out whoever still looks at it. */
const freeMemories: ScriptedMemory[] = [];

function newMemory(memories: Set<ScriptedMemory>): ScriptedMemory {
  const memory = freeMemories.pop() ?? new ScriptedMemory();
  memories.add(memory);
  return memory;
}

export class ScriptedLink implements VolumeLink {
  readonly #owner: ScriptedLinks;
  readonly receiver: VolumeReceiver;
  readonly #memories = new Set<ScriptedMemory>();
  #memory = newMemory(this.#memories);
  #open: JournalRecord[] = [];
  #lastOrdinal: number;
  #isInside = false;
  isOver = false;
  acknowledgedOrdinal = 0;
  readonly owedFlushes: FlushDone[] = [];

  constructor(owner: ScriptedLinks, receiver: VolumeReceiver) {
    this.#owner = owner;
    this.receiver = receiver;
    this.#lastOrdinal = owner.lastOrdinal;
  }

  get pressure(): number {
    return this.#owner.pressure;
  }

  get lastOrdinal(): number {
    return this.#lastOrdinal;
  }

  get remoteOrdinal(): number {
    return Math.min(this.#owner.remoteOrdinal, this.#owner.lastOrdinal);
  }

  get memory(): BatchMemory {
    return this.#memory;
  }

  hasRoomFor(payloadBlocks: number): boolean {
    if (!this.#owner.hasRoom || this.isOver) return false;
    return this.#memory.usedBytes + payloadBlocks * blockBytes <= batchPayloadBytesMax + 11;
  }

  addWrite(startBlock: number, blockCount: number, bytes: Buffer, from: number): number {
    assert(blockCount <= 256 && this.hasRoomFor(blockCount), "there is room for the write");
    const at = this.#memory.usedBytes;
    const byteLength = blockCount * blockBytes;
    assert(from + byteLength <= bytes.length, "the payload is there");
    bytes.copy(this.#memory.buffer, at, from, from + byteLength);
    this.#memory.usedBytes += byteLength;
    const payload = Buffer.from(bytes.subarray(from, from + byteLength));
    this.#add({ type: recordType.write, startBlock, blockCount, payload });
    return at;
  }

  addRange(type: number, startBlock: number, blockCount: number): void {
    assert(this.hasRoomFor(0) && blockCount < 2 ** 32, "there is room for the record");
    this.#add({ type, startBlock, blockCount, payload: Buffer.alloc(0) });
  }

  #add(record: Omit<JournalRecord, "ordinal">): void {
    this.#enter();
    if (record.blockCount > 0) this.#owner.adding(record.startBlock, record.blockCount);
    this.#open.push({ ...record, ordinal: ++this.#lastOrdinal });
    this.#isInside = false;
  }

  #enter(): void {
    assert(!this.isOver && !this.#isInside, "a link that is over, or at work, is asked for nothing");
    this.#isInside = true;
  }

  commit(): void {
    this.#enter();
    this.#owner.journal.push(...this.#open);
    this.#open = [];
    const memory = this.#memory;
    this.#memory = newMemory(this.#memories);
    if (this.#owner.acknowledgesAtOnce) this.acknowledge(this.#lastOrdinal);
    memory.isLeft = true;
    memory.scribbleIfUnused();
    this.#isInside = false;
  }

  acknowledge(ordinal: number): void {
    if (this.isOver || ordinal <= this.acknowledgedOrdinal) return;
    this.acknowledgedOrdinal = ordinal;
    this.#owner.settledOrdinal = Math.max(this.#owner.settledOrdinal, ordinal);
    this.#owner.seen.push(`acknowledged ${ordinal}`);
    this.receiver.acknowledged(ordinal);
  }

  acknowledgeAll(): void {
    this.acknowledge(this.#owner.lastOrdinal);
  }

  flush(done: FlushDone): void {
    if (this.#open.length > 0) this.commit();
    this.#enter();
    this.#isInside = false;
    this.#owner.flushCount++;
    const count = this.#owner.journal.length;
    const finish = (error: Error | null): void => {
      if (error === null) this.#owner.durableCount = Math.max(this.#owner.durableCount, count);
      done(error, this.#owner.isSync);
    };
    if (this.#owner.flushesAtOnce) finish(null);
    else this.owedFlushes.push(finish);
  }

  reportDurable(ordinal: number): void {
    this.#owner.reported.push(ordinal);
  }

  detach(): void {
    if (this.isOver) return;
    if (this.#open.length > 0) this.#owner.journal.push(...this.#open.splice(0));
    this.isOver = true;
    if (this.#owner.current === this) this.#owner.current = undefined;
  }

  lose(error: Error): void {
    this.isOver = true;
    this.receiver.lost(error);
  }

  /** Memory that is still held. */
  get heldCount(): number {
    return [...this.#memories].filter((memory) => memory.holders > 0).length;
  }
}
