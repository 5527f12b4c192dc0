/**
 * What a volume must hold: the records of its group's journals, applied in their order to a volume that began with zeros.
 * The remote's journal and the spool are copies of one order, so what both have must agree; where the remote has records
 * as an aggregate, it must be what the spool's records make.
 */
import { readStamp } from "./block-stamp.ts";
import { foldDifference } from "./folded-records.ts";
import { LandedBlocks } from "./landed-blocks.ts";
import { typeNumber } from "./log-file-reader.ts";
import { blockBytes, type Log, type LoggedRecord, readLogs } from "./log-records.ts";

/** Where the bytes of a block are: at the n-th block of a record that has them. */
export interface BlockOrigin {
  readonly record: LoggedRecord;
  readonly index: number;
}

export interface JournalFolders {
  /** The folder of everything that the local appliance keeps; nothing: it is lost. */
  readonly local?: string;
  readonly remote?: string;
}

const written = new Set([typeNumber.write, typeNumber.trim, typeNumber.zero]);

export class JournalReplay implements Disposable {
  readonly group: string;
  /** Of the remote and of the spool; 0 for none. */
  readonly remoteLastSeq: number;
  readonly spoolLastSeq: number;
  /** All records in their order, each once, from whichever has them; an aggregate's where the remote has one. */
  readonly records: readonly LoggedRecord[];
  /** What the spool has of the records that the remote has folded. */
  readonly #unfolded: readonly LoggedRecord[];
  readonly #landed: LandedBlocks | undefined;

  /** `group` may be left out where there is only one. */
  constructor(folders: JournalFolders, group?: string) {
    const remote = logOf(folders.remote, "metadata", group);
    const spool = logOf(folders.local, "spool", group);
    const first = remote ?? spool;
    if (first === undefined) throw new Error("there is no journal");
    if (remote !== undefined && spool !== undefined && remote.group !== spool.group) throw new Error("two groups");
    this.group = first.group;
    this.#landed = folders.remote === undefined ? undefined : new LandedBlocks(folders.remote, this.group);
    try {
      const landed = remote === undefined ? [] : this.#withoutTail(remote);
      this.remoteLastSeq = landed.at(-1)?.seq ?? 0;
      this.spoolLastSeq = spool?.lastSeq ?? 0;
      this.records = this.#merge(landed, spool?.records ?? []);
      this.#unfolded = this.#compareAggregates(landed, spool?.records ?? []);
    } catch (error) {
      // Nobody else will: a disk that a file is open on cannot be taken away.
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** A cut of the power may leave a record without its payload, unless it was durable; there the journal ends. */
  #withoutTail({ records, durableSeq }: Log): readonly LoggedRecord[] {
    const missing = records.find((record) => record.seq > durableSeq && !this.#isLanded(record));
    return missing === undefined
      ? records
      : records.slice(
          0,
          records.findIndex((record) => isOfUnit(record, missing)),
        );
  }

  #isLanded(record: LoggedRecord): boolean {
    if (record.type !== typeNumber.write) return true;
    try {
      for (let index = 0; index < record.blockCount; index++) this.bytesOf({ record, index });
      return true;
    } catch {
      return false;
    }
  }

  #merge(remote: readonly LoggedRecord[], spool: readonly LoggedRecord[]): LoggedRecord[] {
    const bySeq = new Map(remote.filter((it) => it.aggregate === undefined).map((record) => [record.seq, record]));
    for (const record of spool) {
      const copy = bySeq.get(record.seq);
      if (copy !== undefined) this.#compare(record, copy);
    }
    const lastSeq = remote.at(-1)?.seq ?? 0;
    const rest = spool.filter((record) => record.seq > lastSeq);
    const next = rest[0];
    const isGap = next !== undefined && next.type !== typeNumber.epoch && next.seq !== lastSeq + 1;
    if (isGap && remote.length > 0) throw new Error(`the remote ends at ${lastSeq}, the spool goes on at ${next.seq}`);
    return [...remote, ...rest];
  }

  #compare(spooled: LoggedRecord, copy: LoggedRecord): void {
    for (const field of ["epoch", "type", "volume", "timeMicros", "startBlock", "blockCount", "ordinal"] as const) {
      if (spooled[field] !== copy[field]) {
        throw new Error(`seq ${spooled.seq}: ${field} is ${spooled[field]} in the spool, ${copy[field]} at the remote`);
      }
    }
    for (let index = 0; spooled.payload !== undefined && index < spooled.blockCount; index++) {
      if (!this.bytesOf({ record: spooled, index }).equals(this.bytesOf({ record: copy, index }))) {
        throw new Error(`seq ${spooled.seq}: block ${index} differs between the spool and the remote`);
      }
    }
  }

  /** Answers what the spool has of the records that were folded. */
  #compareAggregates(remote: readonly LoggedRecord[], spool: readonly LoggedRecord[]): LoggedRecord[] {
    const ofEach = Map.groupBy(remote, (record) => record.aggregate);
    return [...ofEach].flatMap(([aggregate, folded]) => {
      if (aggregate === undefined) return [];
      const { firstSeq, lastSeq } = aggregate;
      const unfolded = spool.filter(({ seq }) => seq >= firstSeq && seq <= lastSeq);
      const isWhole = unfolded.length === lastSeq - firstSeq + 1;
      const difference = foldDifference(unfolded, folded, isWhole, (origin) => this.bytesOf(origin));
      if (difference !== undefined) throw new Error(`the aggregate of ${firstSeq} to ${lastSeq}: ${difference}`);
      return unfolded;
    });
  }

  /** The number that the group's records give to a volume. */
  volumeNumber(name: string): number {
    const record = this.records.find((it) => it.type === typeNumber.volume && it.extra?.name === name);
    if (record === undefined) throw new Error(`no record says what volume ${name} is`);
    return record.volume;
  }

  /** What the volume had at this point; nothing: no record says it. */
  sizeOf(volume: number, lastSeq = Number.MAX_SAFE_INTEGER): number | undefined {
    const records = this.records.filter((record) => record.seq <= lastSeq && record.volume === volume);
    return sizeIn(records.findLast((record) => sizeIn(record) !== undefined));
  }

  /**
   * For each block of the volume that was ever written, the last record that says what it holds. What is behind its size is
   * cut off, for ever: if the volume grows again, zeros are there.
   */
  contentOf(volume: number, lastSeq = Number.MAX_SAFE_INTEGER): Map<number, BlockOrigin> {
    const content = new Map<number, BlockOrigin>();
    let endBlock = Number.POSITIVE_INFINITY;
    for (const record of this.records) {
      if (record.seq > lastSeq) break;
      if (record.volume !== volume) continue;
      const size = sizeIn(record);
      if (size !== undefined) {
        endBlock = Math.ceil(size / blockBytes);
        for (const block of [...content.keys()]) if (block >= endBlock) content.delete(block);
      }
      if (!written.has(record.type)) continue;
      if (record.startBlock + record.blockCount > endBlock) {
        throw new Error(`seq ${record.seq}: it reaches beyond the volume, which has ${endBlock} blocks then`);
      }
      for (let index = 0; index < record.blockCount; index++) content.set(record.startBlock + index, { record, index });
    }
    return content;
  }

  /** All records that ever said what a block holds, as far as they are still there. */
  originsOf(volume: number, block: number): BlockOrigin[] {
    return [...this.records, ...this.#unfolded]
      .filter((record) => record.volume === volume && written.has(record.type))
      .filter((record) => block >= record.startBlock && block < record.startBlock + record.blockCount)
      .map((record) => ({ record, index: block - record.startBlock }));
  }

  /**
   * The numbers of the writes that the remote has, in its order, as the tests stamped them. Without what a resync repeats,
   * and without aggregates, in which there are runs of blocks and no writes.
   */
  remoteNumbers(volume: number, afterSeq = 0): number[] {
    return this.#stampedWrites(volume, afterSeq).flatMap(({ number, isAmidCopy }) => (isAmidCopy ? [] : [number]));
  }

  /** Those that came while a resync was under way, among what that repeats. */
  numbersAmidCopies(volume: number, afterSeq = 0): ReadonlySet<number> {
    const writes = this.#stampedWrites(volume, afterSeq);
    return new Set(writes.flatMap(({ number, isAmidCopy }) => (isAmidCopy ? [number] : [])));
  }

  #stampedWrites(volume: number, afterSeq: number): { readonly number: number; readonly isAmidCopy: boolean }[] {
    const writes: { readonly number: number; readonly isAmidCopy: boolean }[] = [];
    let isAmidCopy = false;
    for (const record of this.records) {
      if (record.seq > this.remoteLastSeq) break;
      if (record.type === typeNumber.resyncBegin) isAmidCopy = true;
      if (record.type === typeNumber.resyncEnd) isAmidCopy = false;
      if (record.seq <= afterSeq || record.volume !== volume || record.type !== typeNumber.write) continue;
      if (record.aggregate !== undefined) continue;
      const stamp = readStamp(this.bytesOf({ record, index: 0 }), 0);
      if (typeof stamp !== "string") writes.push({ number: stamp.number, isAmidCopy });
      // What the host has never written may be copied, too.
      else if (!isAmidCopy) throw new Error(`seq ${record.seq} is no write of the tests: ${stamp}`);
    }
    return writes;
  }

  bytesOf({ record, index }: BlockOrigin): Buffer {
    if (record.type !== typeNumber.write) return Buffer.alloc(blockBytes);
    if (record.payload !== undefined) return record.payload.subarray(index * blockBytes, (index + 1) * blockBytes);
    if (this.#landed === undefined || record.address === undefined || record.address === 0) {
      throw new Error(`seq ${record.seq} is a write without a payload`);
    }
    return this.#landed.read(record.volume, record.address + index);
  }

  [Symbol.dispose](): void {
    this.#landed?.[Symbol.dispose]();
  }
}

/** What a record says of its volume's size. */
function sizeIn(record: LoggedRecord | undefined): number | undefined {
  const isAbout = record?.type === typeNumber.volume || record?.type === typeNumber.resize;
  return isAbout ? (record.extra?.sizeBytes as number) : undefined;
}

/** Whether both count together or not at all. */
function isOfUnit(a: LoggedRecord, b: LoggedRecord): boolean {
  return a === b || (a.aggregate !== undefined && a.aggregate === b.aggregate);
}

function logOf(folder: string | undefined, kind: "spool" | "metadata", group: string | undefined): Log | undefined {
  if (folder === undefined) return undefined;
  const logs = readLogs(folder, kind).filter((log) => group === undefined || log.group === group);
  if (logs.length > 1) throw new Error(`${logs.length} logs of kind ${kind}; name the group`);
  return logs[0];
}
