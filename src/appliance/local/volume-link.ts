/** The link between an interceptor and a group in the same thread: a direct call. */
import { assert } from "#src/core/assert.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import type { BatchMemory, VolumeLink, VolumeReceiver } from "#src/wire/volume-link.ts";
import type { CopyState } from "./copy-state.ts";
import type { GroupVolume } from "./group-state.ts";
import type { Order } from "./order.ts";
import type { OrdinalMap } from "./ordinal-map.ts";
import type { TraceLog } from "./trace-log.ts";

/** What a link needs of its group. */
export interface LinkedGroup {
  readonly order: Order;
  readonly trace: TraceLog;
  readonly pressure: number;
  flush(volume: number, done: (error: Error | null) => void): void;
  /** The link has added something to the batch in the making. */
  touched(link: LocalVolumeLink): void;
  reportDurable(link: LocalVolumeLink, ordinal: number): void;
  detached(link: LocalVolumeLink): void;
}

export interface LocalVolumeLinkParts {
  readonly group: LinkedGroup;
  readonly volume: GroupVolume;
  readonly ordinals: OrdinalMap;
  readonly receiver: VolumeReceiver;
  readonly copy: CopyState;
  /** Up to when nothing of the volume is lacking, so far. */
  readonly lastMicros: number;
  /** From then on the order may lack what was written, up to the copy that is about to begin. */
  readonly gapMicros: number | undefined;
}

export class LocalVolumeLink implements VolumeLink {
  readonly volume: number;
  readonly receiver: VolumeReceiver;
  readonly ordinals: OrdinalMap;
  readonly #group: LinkedGroup;
  readonly #copy: CopyState;
  readonly #sizeBytes: number;
  #lastOrdinal: number;
  #isOver = false;
  #hasReported = false;
  #gapMicros: number | undefined;
  /** It has records in the batch in the making. */
  isTouched = false;
  #lastMicros: number;

  constructor({ group, volume, ordinals, receiver, copy, lastMicros, gapMicros }: LocalVolumeLinkParts) {
    this.#group = group;
    this.#sizeBytes = volume.sizeBytes;
    this.volume = volume.number;
    this.ordinals = ordinals;
    this.receiver = receiver;
    this.#lastOrdinal = ordinals.lastOrdinal;
    this.#copy = copy;
    this.#lastMicros = lastMicros;
    this.#gapMicros = gapMicros;
  }

  /** The time of its last record that has its place. */
  get lastMicros(): number {
    return this.#lastMicros;
  }

  /** All up to this ordinal has its place. */
  placed(ordinal: number, seq: number, timeMicros: number): void {
    this.ordinals.add(ordinal, seq);
    this.#lastMicros = timeMicros;
  }

  get pressure(): number {
    return this.#group.pressure;
  }

  get lastOrdinal(): number {
    return this.#lastOrdinal;
  }

  get remoteOrdinal(): number {
    return this.ordinals.remoteOrdinal;
  }

  get memory(): BatchMemory {
    return this.#group.order.memory;
  }

  /** There is no point of it before the end of a copy, which is under way or about to begin. */
  get isResyncing(): boolean {
    return this.#copy.isOpen;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  hasRoomFor(payloadBlocks: number): boolean {
    return !this.#isOver && this.#group.order.hasRoomFor(payloadBlocks);
  }

  addWrite(startBlock: number, blockCount: number, bytes: Buffer, from: number): number {
    const ordinal = this.#next(recordType.write);
    const record = { type: recordType.write, volume: this.volume, startBlock, blockCount, ordinal };
    return this.#group.order.addWrite(record, bytes, from);
  }

  addRange(type: number, startBlock: number, blockCount: number): void {
    const says = this.#saysOf(type);
    const extra = says === undefined ? undefined : encodeExtra(says);
    this.#group.order.add({ type, volume: this.volume, startBlock, blockCount, ordinal: this.#next(type) }, extra);
  }

  #saysOf(type: number): object | undefined {
    if (type === recordType.initialComplete) return { sizeBytes: this.#sizeBytes };
    if (type !== recordType.resyncBegin) return undefined;
    const sinceMicros = this.#gapMicros;
    // A copy that begins later with the same link is of something else.
    this.#gapMicros = undefined;
    return sinceMicros === undefined ? undefined : { sinceMicros };
  }

  #next(type: number): number {
    assert(!this.#isOver, "nothing is added to a link that is over");
    if (!this.isTouched) this.#group.touched(this);
    this.isTouched = true;
    this.#lastOrdinal++;
    if (this.#copy.isOpen || type === recordType.resyncBegin) this.#copy.saw(type, this.#lastOrdinal);
    const { trace, order } = this.#group;
    if (trace.isOn) trace.added(this.volume, this.#lastOrdinal, order.lastSeq + order.openRecordCount + 1);
    return this.#lastOrdinal;
  }

  commit(): void {
    if (!this.#isOver) this.#group.order.commit();
  }

  flush(done: (error: Error | null) => void): void {
    assert(!this.#isOver, "nothing is asked of a link that is over");
    this.#group.flush(this.volume, done);
  }

  acknowledged(ordinal: number): void {
    if (!this.#isOver) this.receiver.acknowledged(ordinal);
  }

  reportDurable(ordinal: number): void {
    this.#hasReported = true;
    if (!this.#isOver) this.#group.reportDurable(this, ordinal);
  }

  /** So its interceptor has taken up what it was told when it attached. */
  get hasReported(): boolean {
    return this.#hasReported;
  }

  detach(): void {
    if (this.#isOver) return;
    this.#group.order.commit();
    this.#isOver = true;
    this.#group.detached(this);
  }

  /** The group is at its end. */
  lose(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.receiver.lost(error);
  }
}
