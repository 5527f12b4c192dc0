/** What the numbers of a group's volumes stand for, as far as durable records say it and beyond. */
import { remoteNameBytesMax } from "#src/core/limits.ts";
import { decodeExtra, recordType } from "#src/records/record.ts";

export interface RemoteVolume {
  /** Within the group, from 1 on. */
  readonly number: number;
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: number;
}

export class VolumeTable {
  readonly #durable = new Map<number, RemoteVolume>();
  /** In the order of their records. */
  #pending: { readonly seq: number; readonly volume: RemoteVolume }[] = [];

  constructor(durable: readonly RemoteVolume[]) {
    for (const volume of durable) this.#durable.set(volume.number, volume);
  }

  /** Whether records of this type say something of a volume itself. */
  static isAbout(type: number): boolean {
    return type === recordType.volume || type === recordType.resize;
  }

  /** One of these; if it does not say what it should, it is kept in the journal all the same. */
  saw(type: number, seq: number, number: number, extra: Buffer): void {
    const content = decodeExtra(extra) ?? {};
    const known = type === recordType.resize ? this.all.find((volume) => volume.number === number) : undefined;
    const { id, name, sizeBytes } = { ...known, ...content };
    const isWhole = typeof id === "string" && typeof name === "string" && Number.isSafeInteger(sizeBytes);
    if (!isWhole || Buffer.byteLength(name) > remoteNameBytesMax) return;
    this.#pending.push({ seq, volume: { number, id, name, sizeBytes: sizeBytes as number } });
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
