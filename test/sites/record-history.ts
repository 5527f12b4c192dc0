/**
 * Every record of one group that was ever seen in the local appliance's spool, whether or not it is still there: the
 * order that all copies have to respect. A seq has one content, for ever.
 */

import type { FoundRecord } from "./batch-reading.ts";
import { cellBytes, cellsPerBlock, stampAt } from "./stamp.ts";
import { demand } from "./violation.ts";
import type { HostWrite } from "./volume-model.ts";

export const type = {
  write: 1,
  trim: 2,
  zero: 3,
  flush: 4,
  mark: 5,
  mode: 6,
  resize: 8,
  aggregate: 9,
  epoch: 10,
  resyncBegin: 12,
  resyncEnd: 13,
  volume: 15,
};

export interface KnownRecord extends FoundRecord {
  /** Of a write: the stamps of all its cells, from its first block on. */
  readonly stamps: Int32Array | undefined;
}

const zeros = new Int32Array(cellsPerBlock);
const blockBytes = cellsPerBlock * cellBytes;

export class RecordHistory {
  readonly #volumesByName: ReadonlyMap<string, number>;
  readonly #bySeq = new Map<number, KnownRecord>();
  readonly #byBlock = new Map<number, KnownRecord[]>();
  readonly #inOrderOfAppending: KnownRecord[] = [];
  readonly #hostVolumes = new Map<number, number>();
  #modes: { readonly seq: number; readonly mode: string }[];
  autoMoves = 0;
  #lastSeq = 0;

  /** `volumesByName`: how the host numbers the group's volumes in its stamps. `mode`: how the group began. */
  constructor(volumesByName: ReadonlyMap<string, number>, mode: string) {
    this.#volumesByName = volumesByName;
    this.#modes = [{ seq: 0, mode }];
  }

  get count(): number {
    return this.#inOrderOfAppending.length;
  }

  /** The highest ever. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  get(seq: number): KnownRecord | undefined {
    return this.#bySeq.get(seq);
  }

  /** Undefined for records that are of no volume. */
  hostVolumeOf(record: { readonly volume: number }): number | undefined {
    return this.#hostVolumes.get(record.volume);
  }

  add(record: FoundRecord, bytes: Buffer): void {
    const known = this.#bySeq.get(record.seq);
    if (known !== undefined) {
      // Nobody else has seen the first record of an epoch before it is durable: if that fails, it is made anew.
      const isMadeAnew = known.type === type.epoch && record.type === type.epoch && known.epoch === record.epoch;
      if (isMadeAnew) this.#bySeq.set(record.seq, { ...record, stamps: undefined });
      const isSame = isMadeAnew || (known.identity === record.identity && known.epoch === record.epoch);
      demand("order", isSame, () => `seq ${record.seq} has two contents: ${describe(known)} and ${describe(record)}`);
      return;
    }
    if (record.type === type.volume) this.#learnVolume(record);
    if (record.type === type.mode) this.#learnMode(record);
    if (record.type === type.epoch) this.#forgetModes(record);
    const hostVolume = this.#hostVolumes.get(record.volume);
    const stamps = record.type === type.write ? stampsOf(record, bytes, hostVolume ?? 0) : undefined;
    const added = { ...record, stamps };
    this.#bySeq.set(record.seq, added);
    this.#inOrderOfAppending.push(added);
    if (hostVolume !== undefined && isChange(added)) this.#index(added, hostVolume);
    if (hostVolume !== undefined && record.type === type.resize) this.#indexCut(added, hostVolume);
    this.#lastSeq = Math.max(this.#lastSeq, record.seq);
  }

  #index(record: KnownRecord, hostVolume: number): void {
    for (let block = record.startBlock; block < record.startBlock + record.blockCount; block++) {
      const key = keyOf(hostVolume, block);
      const records = this.#byBlock.get(key);
      if (records === undefined) this.#byBlock.set(key, [record]);
      else records.push(record);
    }
  }

  /** What is behind the new end is zeros from then on, as if it had been written so. */
  #indexCut(record: KnownRecord, hostVolume: number): void {
    const { sizeBytes, previousBytes } = JSON.parse(record.extra) as { sizeBytes: number; previousBytes: number };
    const startBlock = Math.ceil(sizeBytes / blockBytes);
    const blockCount = Math.ceil(previousBytes / blockBytes) - startBlock;
    if (blockCount > 0) this.#index({ ...record, type: type.zero, startBlock, blockCount }, hostVolume);
  }

  #learnVolume(record: FoundRecord): void {
    const { name } = JSON.parse(record.extra) as { name: string };
    const hostVolume = this.#volumesByName.get(name);
    demand("conduct", hostVolume !== undefined, () => `a record speaks of a volume ${name}`);
    this.#hostVolumes.set(record.volume, hostVolume as number);
  }

  #learnMode(record: FoundRecord): void {
    const { to, why } = JSON.parse(record.extra) as { to: string; why: string };
    if (why.startsWith("auto: ")) this.autoMoves++;
    this.#modes.push({ seq: record.seq, mode: to });
    this.#modes.sort((a, b) => a.seq - b.seq);
  }

  /** What was lost with the power has never held. */
  #forgetModes(record: FoundRecord): void {
    const { previousLastSeq } = JSON.parse(record.extra) as { previousLastSeq: number };
    // Of a spool that was lost nobody knows where it ended.
    if (previousLastSeq === 0) return;
    this.#modes = this.#modes.filter(({ seq }) => seq <= previousLastSeq || seq > record.seq);
  }

  /** Whether the record may be acknowledged only when the remote has it: placed under sync, and sync not left since. */
  needsRemote(seq: number): boolean {
    const last = this.#modes.at(-1);
    if (last?.mode !== "sync") return false;
    return seq >= last.seq;
  }

  /** Whether the record was placed under a mode that promises no point at it. */
  isFolded(seq: number): boolean {
    return this.#modes.findLast((mode) => mode.seq < seq)?.mode === "aggregated";
  }

  /** A volume that is between the two records of a copy at this place of the order, if there is one. */
  resyncingAt(seq: number, isLeft: (hostVolume: number) => boolean): number | undefined {
    const copying = new Set<number>();
    for (const record of this.#inOrderOfAppending) {
      if (record.seq >= seq) break;
      if (record.type === type.resyncBegin) copying.add(record.volume);
      if (record.type === type.resyncEnd) copying.delete(record.volume);
    }
    return [...copying].find((volume) => !isLeft(this.#hostVolumes.get(volume) ?? 0));
  }

  /** Whether a copy of the volume, as its host numbers it, was begun by a record appended since `since`. */
  hasBegunCopy(volume: number, since: number): boolean {
    const isBegin = (record: KnownRecord): boolean =>
      record.type === type.resyncBegin && this.#hostVolumes.get(record.volume) === volume;
    return this.#inOrderOfAppending.slice(since).some(isBegin);
  }

  /** What the volume, as its host numbers it, had at this place of the order; undefined: it was not there. */
  sizeAt(volume: number, seq: number): number | undefined {
    let newest: KnownRecord | undefined;
    for (const record of this.#inOrderOfAppending) {
      const isAbout = record.type === type.volume || record.type === type.resize;
      if (!isAbout || record.seq >= seq || record.seq < (newest?.seq ?? 0)) continue;
      if (this.#hostVolumes.get(record.volume) === volume) newest = record;
    }
    return newest === undefined ? undefined : (JSON.parse(newest.extra) as { sizeBytes: number }).sizeBytes;
  }

  /** What each cell of the volume, as its host numbers it, is at this place of the order. */
  contentAt(volume: number, blockCount: number, seq: number): Int32Array {
    const content = new Int32Array(blockCount * cellsPerBlock);
    for (let block = 0; block < blockCount; block++) {
      let newest: KnownRecord | undefined;
      for (const record of this.#byBlock.get(keyOf(volume, block)) ?? []) {
        if (record.seq <= seq && record.seq > (newest?.seq ?? 0)) newest = record;
      }
      if (newest !== undefined) content.set(stampsOfBlock(newest, block) as Int32Array, block * cellsPerBlock);
    }
    return content;
  }

  /**
   * The record, of those appended since `since`, by which all of the write is in the order; undefined: it is not.
   */
  seqOf(write: HostWrite, volume: number, since: number): number | undefined {
    const first = Math.floor(write.firstCell / cellsPerBlock);
    const end = Math.ceil((write.firstCell + write.cellCount) / cellsPerBlock);
    const missing = new Set<number>();
    for (let block = first; block < end; block++) missing.add(block);
    let last = 0;
    for (let index = since; missing.size > 0 && index < this.#inOrderOfAppending.length; index++) {
      const record = this.#inOrderOfAppending[index] as KnownRecord;
      if (this.#hostVolumes.get(record.volume) !== volume) continue;
      for (const block of missing) {
        if (!holdsPart(record, write, block)) continue;
        missing.delete(block);
        last = Math.max(last, record.seq);
      }
    }
    return missing.size === 0 ? last : undefined;
  }

  /** The lowest record from `leastSeq` on that gives the block this content. */
  findContent(volume: number, block: number, stamps: Int32Array, leastSeq: number): KnownRecord | undefined {
    let found: KnownRecord | undefined;
    for (const record of this.#byBlock.get(keyOf(volume, block)) ?? []) {
      if (record.seq < leastSeq || (found !== undefined && record.seq > found.seq)) continue;
      if (isSame(stampsOfBlock(record, block), stamps)) found = record;
    }
    return found;
  }
}

function keyOf(volume: number, block: number): number {
  return volume * 2 ** 32 + block;
}

function describe(record: FoundRecord): string {
  const range = `${record.startBlock}+${record.blockCount}`;
  return `type ${record.type} of volume ${record.volume} at ${range}, ordinal ${record.ordinal}, epoch ${record.epoch}`;
}

function stampsOf(record: FoundRecord, bytes: Buffer, volume: number): Int32Array {
  const stamps = new Int32Array(record.blockCount * cellsPerBlock);
  const firstCell = record.startBlock * cellsPerBlock;
  for (let index = 0; index < stamps.length; index++) {
    stamps[index] = stampAt(bytes, record.payloadAt + index * cellBytes, volume, firstCell + index);
  }
  return stamps;
}

export function touches(record: { readonly startBlock: number; readonly blockCount: number }, block: number): boolean {
  return block >= record.startBlock && block < record.startBlock + record.blockCount;
}

export function isChange(record: { readonly type: number }): boolean {
  return record.type === type.write || record.type === type.trim || record.type === type.zero;
}

/** What the block holds when the record was applied. */
export function stampsOfBlock(record: KnownRecord, block: number): Int32Array | undefined {
  if (record.stamps === undefined) return isChange(record) ? zeros : undefined;
  const at = (block - record.startBlock) * cellsPerBlock;
  return record.stamps.subarray(at, at + cellsPerBlock);
}

/** Whether the record has all that the write wrote to the block. */
function holdsPart(record: KnownRecord, write: HostWrite, block: number): boolean {
  if (!isChange(record) || !touches(record, block)) return false;
  const stamps = stampsOfBlock(record, block) as Int32Array;
  const value = write.kind === "write" ? write.number : 0;
  const first = Math.max(0, write.firstCell - block * cellsPerBlock);
  const end = Math.min(cellsPerBlock, write.firstCell + write.cellCount - block * cellsPerBlock);
  for (let cell = first; cell < end; cell++) if (stamps[cell] !== value) return false;
  return true;
}

function isSame(a: Int32Array | undefined, b: Int32Array): boolean {
  return a?.every((value, index) => value === b[index]) === true;
}
