/** What the numbers of a group's volumes stand for, as far as durable records say it and beyond. */
import { remoteNameBytesMax } from "#src/core/limits.ts";
import { everyWriteLevel, levelSaid } from "#src/records/level-record.ts";
import { decodeExtra, recordType } from "#src/records/record.ts";

export interface RemoteVolume {
  /** Within the group, from 1 on. */
  readonly number: number;
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** The seconds between its points; absent: every write is one. */
  readonly level?: number;
}

export class VolumeTable {
  readonly #durable = new Map<number, RemoteVolume>();
  readonly #levels = new Map<number, number>();
  /** In the order of their records. */
  #pending: { readonly seq: number; readonly volume: RemoteVolume }[] = [];

  constructor(durable: readonly RemoteVolume[]) {
    for (const volume of durable) this.#sees(this.#durable, volume);
  }

  /** As of the last record. */
  levelOf(number: number): number {
    return this.#levels.get(number) ?? everyWriteLevel;
  }

  #sees(volumes: Map<number, RemoteVolume>, volume: RemoteVolume): void {
    volumes.set(volume.number, volume);
    this.#levels.set(volume.number, volume.level ?? everyWriteLevel);
  }

  /** Whether records of this type say something of a volume itself. */
  static isAbout(type: number): boolean {
    return type === recordType.volume || type === recordType.resize || type === recordType.level;
  }

  /** One of these; if it does not say what it should, it is kept in the journal all the same. */
  saw(type: number, seq: number, number: number, extra: Buffer): void {
    const known = this.#latest(number);
    if (type === recordType.level) return this.#sawLevel(seq, known, levelSaid(extra));
    const content = decodeExtra(extra) ?? {};
    const { id, name, sizeBytes } = { ...(type === recordType.resize ? known : undefined), ...content };
    const isWhole = typeof id === "string" && typeof name === "string" && Number.isSafeInteger(sizeBytes);
    if (!isWhole || Buffer.byteLength(name) > remoteNameBytesMax || Buffer.byteLength(id) > remoteNameBytesMax) return;
    const level = known?.level === undefined ? {} : { level: known.level };
    this.#pending.push({ seq, volume: { number, id, name, sizeBytes: sizeBytes as number, ...level } });
  }

  #latest(number: number): RemoteVolume | undefined {
    return this.#pending.findLast(({ volume }) => volume.number === number)?.volume ?? this.#durable.get(number);
  }

  /** The end of an interval says nothing new. */
  #sawLevel(seq: number, known: RemoteVolume | undefined, level: number | undefined): void {
    if (known === undefined || level === undefined || (known.level ?? everyWriteLevel) === level) return;
    this.#levels.set(known.number, level);
    this.#pending.push({ seq, volume: { ...known, level } });
  }

  durableUpTo(seq: number): void {
    if (this.#pending.length === 0) return;
    for (const pending of this.#pending)
      if (pending.seq <= seq) this.#durable.set(pending.volume.number, pending.volume);
    this.#pending = this.#pending.filter((pending) => pending.seq > seq);
  }

  get durable(): RemoteVolume[] {
    return [...this.#durable.values()].sort((a, b) => a.number - b.number);
  }

  get all(): RemoteVolume[] {
    const all = new Map(this.#durable);
    for (const { volume } of this.#pending) all.set(volume.number, volume);
    return [...all.values()].sort((a, b) => a.number - b.number);
  }
}
