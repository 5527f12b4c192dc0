/** Rows of records as an open metadata journal holds them, by chance: whatever the format allows, in small volumes. */
import { recordExtraBytesMax } from "#src/core/limits.ts";
import type { MetadataEntry } from "#src/journals/metadata-entry.ts";
import type { FoundUnit } from "#src/journals/metadata-unit.ts";
import { addressOf } from "#src/records/address.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";

export type Unit = Pick<FoundUnit, "firstSeq" | "isAggregate" | "records" | "bytes">;

/** A record as whoever compares it wants it. */
export interface PlainRecord extends MetadataEntry {
  readonly isAggregated: boolean;
  readonly extra: Buffer;
}

export const volumeBlocks = 64;
export const volumeCount = 3;

type Body = Pick<MetadataEntry, "type" | "startBlock" | "blockCount" | "address"> & { readonly extra?: object };

export class RandomUnits {
  readonly #random: SeededRandom;
  readonly #ordinals = new Map<number, number>();
  readonly #spread: number;
  #seq: number;
  #epoch = 1;
  #timeMicros = 1_700_000_000_000_000;
  #address = addressOf(7, 100);

  /** Records are up to `spread` milliseconds from each other. */
  constructor(random: SeededRandom, firstSeq = 1, spread = 1) {
    this.#random = random;
    this.#spread = spread;
    this.#seq = firstSeq;
  }

  next(): Unit {
    this.#timeMicros += this.#random.integerBelow(1000) * this.#spread;
    const kind = this.#random.integerBelow(100);
    if (kind < 2) return this.#epochBegins();
    return kind < 12 ? this.#aggregate() : this.#batch();
  }

  take(count: number): Unit[] {
    return Array.from({ length: count }, () => this.next());
  }

  #batch(): Unit {
    const firstSeq = this.#seq;
    const bodies = Array.from({ length: this.#random.between(1, 20) }, () => this.#record());
    return unitOf(firstSeq, false, bodies);
  }

  #epochBegins(): Unit {
    const [previousEpoch, previousLastSeq] = [this.#epoch, this.#seq - 1];
    this.#epoch += this.#random.between(1, 3);
    this.#seq += this.#random.pick([0, 5, 2 ** 40]);
    const extra = { previousEpoch, previousLastSeq };
    const body = { type: recordType.epoch, startBlock: 0, blockCount: 0, address: 0, extra };
    return unitOf(this.#seq, false, [this.#entry(0, 0, body, this.#seq++)]);
  }

  #aggregate(): Unit {
    const firstSeq = this.#seq;
    const seq = firstSeq + this.#random.integerBelow(50);
    this.#seq = seq + 1;
    const entries = Array.from({ length: this.#random.integerBelow(40) }, () =>
      this.#entry(this.#volume(), 0, this.#random.chance(0.2) ? this.#range() : this.#write(), seq),
    );
    const end = { type: recordType.aggregate, startBlock: 0, blockCount: 0, address: 0 };
    entries.push(this.#entry(0, 0, { ...end, extra: { records: seq - firstSeq + 1, bytes: 0 } }, seq));
    return unitOf(firstSeq, true, entries);
  }

  #volume(): number {
    return this.#random.between(1, volumeCount);
  }

  #record(): PlainRecord {
    const volume = this.#volume();
    const ordinal = (this.#ordinals.get(volume) ?? 0) + 1;
    this.#ordinals.set(volume, ordinal);
    if (this.#random.chance(0.3)) this.#timeMicros += this.#random.integerBelow(100);
    const kind = this.#random.integerBelow(100);
    const body = kind < 65 ? this.#write() : kind < 85 ? this.#range() : this.#event();
    return this.#entry(volume, this.#random.chance(0.1) ? 0 : ordinal, body, this.#seq++);
  }

  #write(): Body {
    const blockCount = this.#random.pick([1, 1, 1, 2, 8]);
    const startBlock = this.#random.integerBelow(volumeBlocks - blockCount + 1);
    const address = this.#address;
    this.#address += blockCount;
    if (this.#random.chance(0.05)) this.#address += 65_536 * this.#random.integerBelow(5);
    if ((this.#address % 65_536) + 8 > 65_536) this.#address += 100;
    return { type: recordType.write, startBlock, blockCount, address };
  }

  #range(): Body {
    const blockCount = this.#random.between(1, volumeBlocks / 2);
    const startBlock = this.#random.integerBelow(volumeBlocks - blockCount + 1);
    return { type: this.#random.pick([recordType.trim, recordType.zero]), startBlock, blockCount, address: 0 };
  }

  #event(): Body {
    const nothing = { startBlock: 0, blockCount: 0, address: 0 };
    if (this.#random.chance(0.2)) {
      const sizeBytes = this.#random.integerBelow(volumeBlocks + 8) * 4096;
      return { type: recordType.resize, ...nothing, extra: { sizeBytes, previousBytes: 0 } };
    }
    if (this.#random.chance(0.5)) return { type: recordType.flush, ...nothing };
    const name = "x".repeat(this.#random.pick([3, 20, recordExtraBytesMax - 20]));
    return { type: recordType.mark, ...nothing, extra: { name } };
  }

  #entry(volume: number, ordinal: number, { extra, ...body }: Body, seq: number): PlainRecord {
    const extraPart = extra === undefined ? Buffer.alloc(0) : encodeExtra(extra);
    const place = { volume, seq, timeMicros: this.#timeMicros, epoch: this.#epoch, ordinal, level: 0 };
    return { ...body, ...place, extraBytes: extraPart.length, isAggregated: false, extra: extraPart };
  }
}

/** All of an aggregate have the time of its last record. */
function unitOf(firstSeq: number, isAggregate: boolean, entries: readonly PlainRecord[]): Unit {
  let extraAt = 0;
  const records = entries.map(({ extra, isAggregated: _, ...entry }) => {
    const record = { ...entry, extraAt };
    extraAt += extra.length;
    return record;
  });
  return { firstSeq, isAggregate, records, bytes: Buffer.concat(entries.map((entry) => entry.extra)) };
}

export function plainRecords(units: readonly Unit[]): PlainRecord[] {
  return units.flatMap(({ records, bytes, isAggregate }) =>
    records.map(({ extraAt, ...entry }) => {
      const extra = Buffer.from(bytes.subarray(extraAt, extraAt + entry.extraBytes));
      return { ...entry, isAggregated: isAggregate, extra };
    }),
  );
}

export interface Content {
  readonly seq: number;
  readonly address: number;
}

/** What the last of the records up to `seq` that says something of the block says. */
export function contentOf(
  records: readonly PlainRecord[],
  volume: number,
  block: number,
  seq = Number.MAX_SAFE_INTEGER,
): Content | undefined {
  const last = records.findLast((record) => {
    if (record.volume !== volume || record.seq > seq) return false;
    if (record.type === recordType.resize || record.type === recordType.volume) return block * 4096 >= sizeIn(record);
    return block >= record.startBlock && block < record.startBlock + record.blockCount;
  });
  if (last === undefined) return undefined;
  return { seq: last.seq, address: last.address === 0 ? 0 : last.address + block - last.startBlock };
}

function sizeIn(record: PlainRecord): number {
  const text = record.extra.toString("utf8").replace(/\0+$/, "");
  return (JSON.parse(text) as { sizeBytes: number }).sizeBytes;
}
